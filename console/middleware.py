"""What every request passes through, in the order of `settings.MIDDLEWARE`."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from console import handlers
from console.errors import BadRequest, ConsoleError, TooLarge
from console.language import speak_to

Next = Callable[[HttpRequest], HttpResponseBase]
DEVICES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
CHUNK = 64 * 1024
DRAINED = 32 * 1024 * 1024  # so much of a refused body is read: a client that is still sending misses the answer
FORM_WITH_FILES = "multipart/form-data"
FILES_FACTOR = 4  # a form may carry an API file, a mapping and samples, each as large as a request may be


class SoundRequest:
    """Refuse what no view can use: NUL bytes in the address, a body that is too large, declared or not."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            self._check(request)
        except ConsoleError as problem:
            return handlers.answer(request, problem)
        return self.get_response(request)

    def _check(self, request: HttpRequest) -> None:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest(_("The address contains a NUL byte."))
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if request.content_type == FORM_WITH_FILES:
            limit *= FILES_FACTOR
        declared = request.META.get("CONTENT_LENGTH", "")
        if declared.isdigit() and int(declared) > limit:
            _drain(request.META["wsgi.input"], int(declared))
            raise _too_large(limit)
        if not declared and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            _take_undeclared(request, limit)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Our own errors, raised in the view of a page."""
        if isinstance(exception, ConsoleError):
            return handlers.answer(request, exception)
        if isinstance(exception, RequestDataTooBig):
            return handlers.answer(request, _too_large(settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
        return None


def _take_undeclared(request: HttpRequest, limit: int) -> None:
    """Read a body whose length was not declared, as Django itself does not."""
    stream, body = request.META["wsgi.input"], BytesIO()
    while chunk := stream.read(CHUNK):
        body.write(chunk)
        if body.tell() > limit:
            _drain(stream, DRAINED)
            raise _too_large(limit)
    request.META["CONTENT_LENGTH"] = str(body.tell())
    body.seek(0)
    request._stream = body  # type: ignore[attr-defined]


def _drain(stream: object, length: int) -> None:
    left = min(length, DRAINED)
    while left > 0 and (chunk := stream.read(min(CHUNK, left))):  # type: ignore[attr-defined]
        left -= len(chunk)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(_("A request may have %(limit)d bytes at most.") % {"limit": limit})


class UserLanguage:
    """The language that a user has chosen goes before the browser's cookie and before what the browser asks for."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            speak_to(request, request.user)  # type: ignore[arg-type]
        return self.get_response(request)


class Discretion:
    """Answers are for whoever asked: nothing keeps copies of them, and pages get no device of the reader's."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Cache-Control" not in response:
            patch_cache_control(response, private=True, no_store=True)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        return response
