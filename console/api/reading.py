"""Reading a request's body into the arguments of a service."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request


def parsed(serializer_class: type[serializers.Serializer[Any]], request: Request, *, partial: bool = False) -> dict:
    """The body as keyword arguments; ValidationError naming each field that has the wrong shape."""
    serializer = serializer_class(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def parsed_query(serializer_class: type[serializers.Serializer[Any]], request: Request) -> dict:
    """The query's parameters as keyword arguments; what the serializer does not know is ignored."""
    known = {name: value for name, value in request.query_params.items() if name in serializer_class().fields}
    serializer = serializer_class(data=known)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
