"""Every error of the REST layer as problem details (RFC 9457), in one place.

`{type, title, status, detail, code}`, and `errors` (dotted field → texts) where fields are at fault, `blockers` (code,
detail, link) where something else has to be ended first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from console.errors import BadRequest, Blocked, Busy, ConsoleError, Invalid, Missing, NotAllowed, TooLarge, TooMany
from console.sentences import told

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"


class Unauthenticated(ConsoleError):
    status, code, title = 401, "not_authenticated", gettext_lazy("Not signed in")


class NotJson(ConsoleError):
    status, code, title = 400, "invalid_json", gettext_lazy("Invalid JSON")


class WrongMediaType(ConsoleError):
    status, code, title = 415, "unsupported_media_type", gettext_lazy("Unsupported media type")


class WrongMethod(ConsoleError):
    status, code, title = 405, "method_not_allowed", gettext_lazy("Method not allowed")


class NotAcceptable(ConsoleError):
    status, code, title = 406, "not_acceptable", gettext_lazy("Not acceptable")


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler. None (and so Django's own 500) only in debug."""
    known = translated(error)
    if known is None:
        logger.exception("unexpected error", exc_info=error)
        known = ConsoleError(_("Something went wrong on our side; it has been logged."))
    set_rollback()
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return Response(body(known), status=known.status, headers=headers, content_type=CONTENT_TYPE)


def body(error: ConsoleError) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": str(error.title),
        "status": error.status,
        "detail": told(error.detail),
        "code": error.code,
    }
    if error.errors:
        problem["errors"] = {name: [told(text) for text in texts] for name, texts in error.errors.items()}
    if isinstance(error, Blocked):
        problem["blockers"] = [
            {"code": each.code, "detail": told(each.text), "link": each.link} for each in error.blockers
        ]
    if error.note:
        problem["note"] = told(error.note)
    return problem


def respond(request: HttpRequest, error: ConsoleError) -> JsonResponse:
    """A problem answer from outside of a REST view: middleware, and Django's own 400, 403, 404 and 500 handlers."""
    return JsonResponse(body(error), status=error.status, content_type=CONTENT_TYPE)


def translated(error: Exception) -> ConsoleError | None:
    """The error in our own family; None for what nobody expected."""
    match error:
        case ConsoleError():
            return error
        case exceptions.ValidationError():
            fields = dict(_flat(error.detail, ""))
            return Invalid(
                _("The request has errors."), errors={name or "body": texts for name, texts in fields.items()}
            )
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Unauthenticated(error.detail, code=str(error.get_codes()))
        case exceptions.PermissionDenied() | PermissionDenied():
            return NotAllowed(getattr(error, "detail", "") or str(error))
        case exceptions.NotFound() | Http404():
            return Missing()
        case exceptions.ParseError():
            return NotJson(_("The body is not valid JSON: %(problem)s") % {"problem": str(error.detail)[:300]})
        case exceptions.UnsupportedMediaType():
            return WrongMediaType(_("Send application/json."))
        case exceptions.MethodNotAllowed():
            return WrongMethod(error.detail)
        case exceptions.NotAcceptable():
            return NotAcceptable(_("Only application/json is answered."))
        case exceptions.Throttled():
            seconds = int(getattr(error, "wait", 0) or 0) + 1
            return TooMany(_("Too many requests; try again in %(seconds)s s.") % {"seconds": seconds})
    return _from_below(error)


def _from_below(error: Exception) -> ConsoleError | None:
    """What Django says about requests; what the databases say about values too large, and about not being there."""
    if isinstance(error, RequestDataTooBig):
        return TooLarge(_("The request is too large."))
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return BadRequest(_("The request cannot be understood."))
    if isinstance(error, DataError) or (isinstance(error, OverflowError) and "SQLite" in str(error)):
        return Invalid(_("A value of the request is too large."))
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("the database does not answer: %s", error)
        return Busy(_("The console's database does not answer; try again in a moment."))
    return None


def _flat(detail: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Django REST framework's nested errors as dotted paths (`organization.nodelist.0.port`)."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, path if name == "non_field_errors" else _joined(path, name))
    elif isinstance(detail, list) and any(isinstance(each, dict | list) for each in detail):
        for index, inner in enumerate(detail):
            if inner:
                yield from _flat(inner, _joined(path, index))
    elif isinstance(detail, list):
        yield path, [str(each) for each in detail]
    else:
        yield path, [str(detail)]


def _joined(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
