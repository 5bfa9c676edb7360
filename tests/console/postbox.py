"""Where mail and webhooks arrive in tests: a real HTTP receiver, a real SMTP server, and ways to hurry deliveries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from django.db import models, transaction
from django.test import override_settings
from django.utils import timezone

from console.deliveries.post import Post
from console.models import Delivery, DeliveryState, Notification, User, Webhook
from console.services.notifications import notify
from console.services.webhooks import create_webhook

PATIENCE = 30.0  # seconds; a turn ends by itself when nothing is under way


# --- webhooks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Received:
    """One call of a receiver."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """As a receiver would check it, written from the specification and not from our code."""
        key = base64.b64decode(secret.split("_", 1)[1])
        signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body])
        wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [each.split(",", 1) for each in self.headers["webhook-signature"].split(" ")]
        fresh = abs(time.time() - int(self.headers["webhook-timestamp"])) < 300
        return fresh and any(version == "v1" and hmac.compare_digest(value, wanted) for version, value in given)


Answer = int | tuple[int, dict[str, str]] | Callable[[Received], int]


@dataclass
class Receiver:
    """Answers as it is told, in turn, and then 204."""

    answers: list[Answer] = field(default_factory=list)
    got: list[Received] = field(default_factory=list)
    port: int = 0
    most_at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def answer(self, received: Received) -> tuple[int, dict[str, str]]:
        with self._lock:
            self.got.append(received)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            answer = self.answers.pop(0) if self.answers else 204
        try:
            given = answer(received) if callable(answer) else answer
        finally:
            with self._lock:
                self._now -= 1
        return given if isinstance(given, tuple) else (given, {})


@contextmanager
def receiving(*answers: Answer) -> Iterator[Receiver]:
    """A receiver that listens until the block ends."""
    receiver = Receiver(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = receiver.answer(Received(self.path, headers, body))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            receiver.answer(Received(f"GET {self.path}", {}, b""))

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def hook(owner: User, url: str, *, events: list[str] | None = None, **more: Any) -> tuple[Webhook, str]:
    return create_webhook(actor=owner, name="Permit server", url=url, events=events, **more)


# --- mail -------------------------------------------------------------------------------------------------------------


@dataclass
class MailServer:
    """Takes mail, or answers as it is told: `says[address]` is what it says about a recipient."""

    letters: list[Message] = field(default_factory=list)
    says: dict[str, str] = field(default_factory=dict)
    says_to_data: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if refusal := self.says.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.says_to_data:
            return self.says_to_data.pop(0)
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A real SMTP server, and a console that sends its mail there."""
    server = MailServer()
    port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with mail_goes_to(port):
            yield server
    finally:
        controller.stop()


def mail_goes_to(port: int, **more: Any) -> override_settings:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    return override_settings(MAIL_ENABLED=True, EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, **more)


def free_port() -> int:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


# --- telling and sending ----------------------------------------------------------------------------------------------


def tell(
    *users: User, kind: str = "union", title: str = "The union %(name)s is open", subject: models.Model | None = None
) -> list[Notification]:
    """A use case that tells these users something."""
    with transaction.atomic():
        notify(
            users,
            kind=kind,
            title=title,
            body="Reason: %(reason)s",
            parameters={"name": "Permits", "reason": "all agreed"},
            link="/unions/union-1",
            subject=subject,
        )
    return list(Notification.objects.filter(kind=kind).order_by("pk"))


def send(post: Post | None = None) -> int:
    """Be the worker, until nothing is due or under way; how many attempts were begun."""
    return (post or Post()).turn(PATIENCE)


def turns_until(post: Post, reached: Callable[[], bool]) -> bool:
    """Short turns, while others may be slow to answer, until it is so; false when it never is."""
    until = time.monotonic() + PATIENCE
    while not reached() and time.monotonic() < until:
        post.turn(0.1)
    return reached()


def hurry() -> None:
    """What is due later is due now."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(state=DeliveryState.WAITING).update(due_at=past)
    Webhook.objects.update(rests_until=None)


def let_leases_expire() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(state=DeliveryState.SENDING).update(lease_until=past)


def the_delivery() -> Delivery:
    return Delivery.objects.get()


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))
