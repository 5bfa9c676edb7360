"""A notification as a letter: written in the reader's language, sent by Django's mail backend, judged by the answer."""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from console.models import Delivery, User
from console.outcomes import DETAIL_LENGTH, INTERNAL, Outcome

logger = logging.getLogger(__name__)
SUBJECT_LENGTH = 150  # characters
FOR_GOOD = 500  # SMTP: from here on the server says no for good, below it says not now


@dataclass(frozen=True)
class Letter:
    """What is sent to whom. The message's id is the same on every attempt, so that a second copy can be told."""

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    message_id: str


def letter_for(delivery: Delivery, user: User) -> Letter:
    """The notification, or a test, in the user's language."""
    with translation.override(user.language or settings.LANGUAGE_CODE):
        told = delivery.notification
        context = {
            "title": delivery.title_text,
            "body": told.body_text if told else "",
            "link": absolute(told.link) if told else "",
            "preferences": absolute("/profile"),
            "name": user.get_full_name() or user.get_username(),
        }
        text = render_to_string("console/mail.txt", context)
        subject = " ".join(delivery.title_text.split())[:SUBJECT_LENGTH]
    return Letter(user.email, f"[Concord] {subject}", text, f"<{delivery.message_id}@{_host()}>")


def absolute(link: str) -> str:
    """The page's address as somebody outside of the console needs it; other addresses stay as they are."""
    return settings.PUBLIC_URL.rstrip("/") + link if link.startswith("/") else link


def send(letter: Letter) -> Outcome:
    """Hand the letter to the mail server. Every way in which that may go wrong is an outcome, none an exception."""
    message = EmailMessage(
        letter.subject,
        letter.text,
        to=[letter.to],
        headers={"Message-ID": letter.message_id, "Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as problem:
        return _refused(*next(iter(problem.recipients.values())))
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused) as problem:
        return Outcome("mail_unreachable", _short(_words(problem.smtp_error)), problem.smtp_code, shared=True)
    except smtplib.SMTPDataError as problem:
        return _refused(problem.smtp_code, problem.smtp_error)
    except (smtplib.SMTPException, OSError) as problem:
        return Outcome("mail_unreachable", _short(problem or type(problem).__name__), shared=True)
    except Exception as problem:  # an address that cannot be written down, a header that is none
        logger.exception("a letter could not be written", exc_info=problem)
        return Outcome(INTERNAL, type(problem).__name__, final=True)
    return Outcome()


def _refused(code: int, answer: bytes | str) -> Outcome:
    final = code >= FOR_GOOD
    return Outcome("mail_refused" if final else "mail_later", _short(f"{code} {_words(answer)}"), code, final=final)


def _words(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)


def _short(problem: object) -> str:
    return " ".join(str(problem).split())[:DETAIL_LENGTH]


def _host() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or "localhost"
