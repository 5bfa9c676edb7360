"""Chains that stand although nobody is away: their platform's driver sees to them, where it knows how."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any

from chains.models import Blockchain
from chains.services.chains import record_roused
from console.errors import ConsoleError
from platforms.drivers import driver_for

logger = logging.getLogger(__name__)

ROUND_SECONDS = 10.0  # who has not answered by then is asked in another round
AT_ONCE = 8


def rouse_chains(*, seconds: float = ROUND_SECONDS) -> None:
    """Ask once for each chain that stands, in any order: those of machines that hang must not always come first.

    What a driver has done is written down. One that cannot rouse its chains leaves that to its platform.
    """
    rows = Blockchain.objects.that_stand().select_related("business_chain__platform").order_by("?")
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="rouse")
    asked: dict[Future[Any], Blockchain] = {}
    try:
        for row in rows:
            try:
                driver: Any = driver_for(row.business_chain.platform)
            except ConsoleError:
                continue
            if hasattr(driver, "rouse"):
                asked[pool.submit(driver.rouse, row.external_id)] = row
        _write_down(asked, seconds)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _write_down(asked: dict[Future[Any], Blockchain], seconds: float) -> None:
    try:
        for future in as_completed(asked, timeout=seconds):
            row = asked[future]
            try:
                done = [str(each["message"]) for each in future.result()]
            except ConsoleError as problem:
                logger.info("the chain %s is not roused: %s", row.uid, problem.for_operators)
                continue
            if done:
                record_roused(blockchain_id=row.pk, done=done)
    except TimeoutError:
        logger.info("not every chain that stands was asked for within %s s", round(seconds))
