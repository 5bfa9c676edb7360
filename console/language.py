"""Which language an answer speaks: the user's own, else the browser's cookie, else what the browser asks for."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import translation

from console.models import User


def speak_to(request: HttpRequest, user: User) -> None:
    """Go on in the user's own language, if the user has chosen one."""
    if user.language:
        translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language()  # type: ignore[attr-defined]
