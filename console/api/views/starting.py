"""What the REST views of every floor have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from console import idempotency
from console.errors import ConsoleError, Invalid
from console.idempotency import KeyedRequest

MAX_KEY = 200  # characters


class StartsWork:
    """A view that starts a flow: answers 202 with `{"flow": id, …}`, and once for one `Idempotency-Key`."""

    def start(self, request: Request, call: Callable[[], dict[str, Any]]) -> Response:
        """`call` is the use case; it returns the body to answer, with the flow's id as `flow`."""
        keyed = keyed_request(request)
        if keyed is None:
            return accepted(call())
        if (known := idempotency.recall(keyed)) is not None:
            return accepted(known.answer or {"flow": str(known.flow_id)})
        try:
            with idempotency.request_under_way(keyed):
                answer = call()
        except ConsoleError:
            # The same request at the same moment: the other one has started the flow, and answers for both.
            if (known := idempotency.recall(keyed)) is None:
                raise
            return accepted(known.answer or {"flow": str(known.flow_id)})
        idempotency.remember_answer(keyed, answer)
        return accepted(answer)


def keyed_request(request: Request) -> KeyedRequest | None:
    """The request's idempotency key, bound to what it asks; None when it has none."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not key.strip() or len(key) > MAX_KEY:
        raise Invalid(
            _("An Idempotency-Key has 1 to %(limit)s characters.") % {"limit": MAX_KEY}, code="bad_idempotency_key"
        )
    mark = idempotency.fingerprint(str(request.method), request.get_full_path(), request.data)
    return KeyedRequest(user=request.user, key=key, fingerprint=mark)  # type: ignore[arg-type]


def accepted(answer: dict[str, Any]) -> Response:
    """202, with the flow's address."""
    location = reverse("api-flow", args=[answer["flow"]])
    return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": location})
