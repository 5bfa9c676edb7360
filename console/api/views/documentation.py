"""The OpenAPI file, its pages, and the answer to every address under `/api/` that is none."""

from __future__ import annotations

from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from console.errors import Missing


class Schema(SpectacularAPIView):
    """The OpenAPI 3.1 file: YAML, or JSON where that is asked for (`?format=json`)."""

    authentication_classes = []
    permission_classes = [AllowAny]


@method_decorator(csp_update({"style-src": [UNSAFE_INLINE]}), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files. Its page carries one inline style sheet; scripts stay strict."""

    url_name = "api-schema"
    authentication_classes = []
    permission_classes = [AllowAny]


class NotThere(APIView):
    """Whatever the method: there is nothing here."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Missing()
