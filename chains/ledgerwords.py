"""Sentences about a ledger that a page and the REST interface say alike."""

from __future__ import annotations

from django.utils.translation import gettext as _

from chains.models import DroppedTransaction


def left_with_its_branch(dropped: DroppedTransaction) -> str:
    """Why a transaction that was there is not there any more."""
    words = _(
        "This transaction was in block %(height)s of a branch that the chain has left (noticed on %(when)s UTC). "
        "It has not been read in any other block since."
    )
    return words % {"height": dropped.height, "when": f"{dropped.reorganisation.found_at:%Y-%m-%d %H:%M:%S}"}
