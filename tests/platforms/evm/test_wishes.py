"""What is special about a chain, as somebody wrote it: held against what it can be, before anything is built."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.errors import Invalid, PlatformRefused
from console.models import User
from platforms import standard
from platforms.drivers.base import Credentials
from platforms.drivers.evm.book import Network
from platforms.drivers.evm.driver import EvmDriver
from platforms.drivers.evm.programs import Settings
from platforms.hosts.spaces import Space
from platforms.models import NativeChain, NativeNode, Platform
from platforms.services.native import book_of

pytestmark = pytest.mark.django_db(transaction=True)
TAX = standard.Party(orgcode="org-tax", name="Tax", category="on_prem")


@pytest.fixture
def driver(root: User) -> EvmDriver:
    """Nobody has a machine: what gets as far as that is refused for it, and has written down its chain."""
    book = book_of(Platform.objects.create(oemtype="own", name="Own", kind="evm", kernel="quorum"))
    book.open_network(Network("net-1", "Permits", {"org-tax": "Tax"}))
    return EvmDriver(
        book=book, spaces=lambda code: Space(code, (), ""), settings=Settings("quorum", "quorum", period=7)
    )


def create(driver: EvmDriver, extrainfo: str, **more: Any) -> Any:
    wanted = standard.OPERATIONS["create_chain"].request(
        network_id="net-1", name="main", creator=TAX, extrainfo=extrainfo, **more
    )
    return driver.perform("create_chain", wanted, credentials=Credentials(), key="one")


ODD_PERIODS: list[Any] = ["abc", "5", "", -5, 0, 0.5, 5.0, 3601, 10**30, None, True, [5], {}]


@pytest.mark.parametrize("period", ODD_PERIODS, ids=str)
def test_a_period_that_is_none_is_refused_by_name(driver: EvmDriver, period: Any) -> None:
    with pytest.raises(Invalid, match=r"period.*1 to 3600") as problem:
        create(driver, json.dumps({"period": period}))
    assert list(problem.value.errors) == ["extrainfo"]
    assert not NativeChain.objects.exists()


@pytest.mark.parametrize("text", ["{", "[]", "5", "null", '"period"', "[" * 100_000])
def test_what_is_no_object_is_refused(driver: EvmDriver, text: str) -> None:
    with pytest.raises(Invalid, match="JSON object"):
        create(driver, text)
    assert not NativeChain.objects.exists()


@pytest.mark.parametrize("consensus", [5, None, ["ibft"]])
def test_a_consensus_that_is_no_name_is_refused(driver: EvmDriver, consensus: Any) -> None:
    with pytest.raises(Invalid, match="consensus"):
        create(driver, json.dumps({"consensus": consensus}))
    assert not NativeChain.objects.exists()


def test_a_consensus_that_the_kernel_does_not_know_is_refused(driver: EvmDriver) -> None:
    for wished in ({"extrainfo": '{"consensus": "raft"}'}, {"extrainfo": "", "consensus": "raft"}):
        with pytest.raises(PlatformRefused, match=r"raft.*qbft, ibft") as problem:
            create(driver, **wished)
        assert problem.value.code == "unknown_consensus"
    assert not NativeChain.objects.exists()


@pytest.mark.parametrize(
    ("text", "period", "consensus"),
    [("", 7, "qbft"), ("{}", 7, "qbft"), ('{"period": 1, "consensus": "IBFT"}', 1, "ibft"),
     ('{"period": 3600, "more": [1]}', 3600, "qbft")],
)  # fmt: skip
def test_what_can_be_is_written_down(driver: EvmDriver, text: str, period: int, consensus: str) -> None:
    with pytest.raises(PlatformRefused) as problem:
        create(driver, text)
    assert problem.value.code == "no_machine"
    chain = NativeChain.objects.get()
    assert (chain.period, chain.consensus) == (period, consensus)
    assert not NativeNode.objects.exists()
