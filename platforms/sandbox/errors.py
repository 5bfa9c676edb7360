"""What the sandbox's management plane answers when it says no: a status, a stable code, words."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """Becomes the envelope `{error: {code, message, details?}}`."""

    status = 500
    code = "INTERNAL"

    def __init__(
        self, message: str, *, code: str = "", status: int = 0, details: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.details = message, details
        self.code = code or type(self).code
        self.status = status or type(self).status

    def envelope(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = self.details
        return {"error": error}


class Unauthenticated(ApiError):
    status, code = 401, "UNAUTHENTICATED"


class Forbidden(ApiError):
    status, code = 403, "FORBIDDEN"


class NotFound(ApiError):
    """Also what a stranger is told about things that exist."""

    status, code = 404, "NOT_FOUND"


class Conflict(ApiError):
    status, code = 409, "CONFLICT"


class BadRequest(ApiError):
    status, code = 400, "INVALID_REQUEST"


class BadControl(BadRequest):
    """A body that the sandbox's own switches do not understand."""

    status = 422


class KernelDown(ApiError):
    status, code = 503, "KERNEL_UNAVAILABLE"
