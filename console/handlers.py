"""Where an error outside of a REST view becomes an answer: problem details under `/api/`, a page everywhere else."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import select_template
from django.utils.html import format_html
from django.utils.translation import gettext as _

from console.api import problems
from console.errors import BadRequest, ConsoleError, Missing, NotAllowed, TooLarge
from console.sentences import told

logger = logging.getLogger(__name__)
API = "/api/"
BARE_PAGE = "<!doctype html><html><head><title>{}</title></head><body><h1>{}</h1><p>{}</p></body></html>"


def answer(request: HttpRequest, error: ConsoleError) -> HttpResponse:
    """The error as whoever asked can read it."""
    if request.path_info.startswith(API):
        return problems.respond(request, error)
    return _page(request, error)


def _page(request: HttpRequest, error: ConsoleError) -> HttpResponse:
    """`<status>.html`, else `error.html`; and words without any template when even that does not work."""
    detail = told(error.detail)
    context: dict[str, Any] = {"error": error, "status": error.status, "title": error.title, "detail": detail}
    try:
        page = select_template([f"{error.status}.html", "error.html"])
        return HttpResponse(page.render(context, request), status=error.status)
    except TemplateDoesNotExist:
        pass
    except Exception:  # the error page must not fail because what it is drawn with has
        logger.exception("the error page for status %s cannot be drawn", error.status)
    return HttpResponse(format_html(BARE_PAGE, error.title, error.title, detail), status=error.status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400: what it calls suspicious."""
    if isinstance(exception, RequestDataTooBig):
        return answer(request, TooLarge(_("The request is too large.")))
    if not isinstance(exception, SuspiciousOperation):
        logger.warning("bad request: %r", exception)
    return answer(request, BadRequest(_("The request cannot be understood.")))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    return answer(request, NotAllowed(str(exception or "")))


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return answer(request, Missing())


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500; what happened has been logged by then."""
    return answer(request, ConsoleError(_("Something went wrong on our side; it has been logged.")))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was not sent from our own page, or too long after it was opened."""
    return answer(
        request, NotAllowed(_("This form has grown too old; go back, reload the page and send it again."), code="csrf")
    )
