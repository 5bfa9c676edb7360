"""Chains that stand although nobody is away: their platform's driver sees to them, where it knows how."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from chains.models import Blockchain
from chains.services.chains import record_roused
from console.errors import ConsoleError
from platforms.drivers import driver_for
from platforms.drivers.base import Json, rouser_of

logger = logging.getLogger(__name__)

ROUND_SECONDS = 10.0  # who has not answered by then is asked in another round
AT_ONCE = 8


def rouse_chains(*, seconds: float = ROUND_SECONDS) -> None:
    """Ask once for each chain that stands, in any order: those of machines that hang must not always come first.

    What a driver has done is written down. One that cannot rouse its chains leaves that to its platform.
    """
    rows = Blockchain.objects.that_stand().select_related("business_chain__platform").order_by("?")
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="rouse")
    asked: dict[Future[tuple[Json, ...]], Blockchain] = {}
    try:
        for row in rows:
            try:
                rouse = rouser_of(driver_for(row.business_chain.platform))
            except ConsoleError:
                continue
            if rouse is not None:
                asked[pool.submit(rouse, row.external_id)] = row
        _write_down(asked, seconds)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _write_down(asked: dict[Future[tuple[Json, ...]], Blockchain], seconds: float) -> None:
    try:
        for future in as_completed(asked, timeout=seconds):
            done = _done(future, asked[future])
            if done:
                record_roused(blockchain_id=asked[future].pk, done=done)
    except TimeoutError:
        logger.info("not every chain that stands was asked for within %s s", round(seconds))


def _done(future: Future[tuple[Json, ...]], row: Blockchain) -> list[str]:
    try:
        return [str(each["message"]) for each in future.result()]
    except ConsoleError as problem:
        logger.info("the chain %s is not roused: %s", row.uid, problem.for_operators)
    except Exception:  # whatever breaks must not end the round for the others
        logger.exception("the chain %s is not roused", row.uid)
    return []
