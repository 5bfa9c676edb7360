"""Sealing every secret anew, with the key that is in force now."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.functions import Cast

from console import audit
from console.models import User
from console.secrets import Sealed, SealedField, is_newly_sealed, unseal
from console.transactions import use_case


def sealed_fields() -> Iterator[tuple[type[models.Model], SealedField]]:
    """Every column of the console that holds ciphertext."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, SealedField):
                yield model, field


def reseal() -> tuple[int, list[str]]:
    """Seal everything with the first key; how many were sealed anew, and what no key opens.

    Each secret is a change of its own, and only if nobody has changed it meanwhile, so the console may be in use and
    an interrupted run may be begun again.
    """
    resealed, closed = 0, []
    for model, field in sealed_fields():
        raw = Cast(models.F(field.attname), models.TextField())
        rows = model._base_manager.annotate(raw=raw).exclude(raw=None).exclude(raw="").order_by("pk")
        for pk, ciphertext in list(rows.values_list("pk", "raw")):
            if is_newly_sealed(ciphertext):
                continue
            try:
                secret = Sealed(unseal(ciphertext))
            except ImproperlyConfigured:
                closed.append(f"{model._meta.label}.{field.name} of {pk}")
                continue
            resealed += rows.filter(pk=pk, raw=ciphertext).update(**{field.attname: secret})
    return resealed, closed


@use_case
def record_rotation(*, actor: User | None, resealed: int, closed: list[str]) -> None:
    audit.record("console.secrets.rotated", actor=actor, resealed=resealed, cannot_be_opened=closed)
