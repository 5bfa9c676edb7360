"""Say what you mean by a transaction: a use case opens one, an inner part demands that its caller has."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.utils.translation import gettext as _

from console.errors import Conflict, Missing

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=models.Model)

TRIES = 4
TO_BE_REPEATED = frozenset({"40P01", "40001"})  # PostgreSQL: deadlock detected, serialization failure


def whole(function: Callable[[], R]) -> R:
    """Run the function in one durable transaction. The loser of a deadlock begins again: nothing of it has happened.

    So the function must do nothing outside of the database. SQLite has one writer at a time and no deadlocks.
    """
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic(durable=True):
                return function()
        except OperationalError as problem:
            if not left or getattr(problem.__cause__, "sqlstate", "") not in TO_BE_REPEATED:
                raise
        time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - so that the two do not meet again
    raise AssertionError("unreachable")


def use_case(function: Callable[P, R]) -> Callable[P, R]:
    """One use case, one function, one durable transaction; nesting two of them is a programming error.

    The database has the last word: what two callers did at the same moment, and a constraint refused to the second,
    is a Conflict like any other.
    """

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return whole(lambda: function(*args, **kwargs))
        except IntegrityError as problem:
            raise Conflict(_("Somebody else changed this at the same moment; look again and retry.")) from problem

    return inner


def joins_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """The caller must have opened the transaction that this function writes in."""

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        if not connection.in_atomic_block:
            raise RuntimeError(f"{function.__qualname__} writes in its caller's transaction, and there is none")
        return function(*args, **kwargs)

    return inner


def locked_or_missing(queryset: models.QuerySet[M], **lookup: Any) -> M:
    """The row, locked until the transaction ends; Missing when it is not in the queryset.

    Only the row itself is locked, never what it joins to.
    """
    row = queryset.select_for_update(of=("self",)).filter(**lookup).first()
    if row is None:
        raise Missing()
    return row
