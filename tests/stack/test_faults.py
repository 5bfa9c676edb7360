"""The platform fails half-way, hangs, or answers nonsense: the flow is undone, and nothing is left behind."""

from __future__ import annotations

import itertools

import pytest

from tests.stack import sandbox
from tests.stack.departments import Department, Office, propose_union
from tests.stack.product import Product

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def pair(product: Product) -> tuple[Department, Department]:
    office = Office(product)
    return office.cloud("Civil Affairs", 3), office.cloud("Public Security", 4)


@pytest.mark.parametrize("job", ["createNetwork", "joinNetwork", "createChain", "createNode"])
def test_a_job_that_fails_half_way(product: Product, pair: tuple[Department, Department], job: str) -> None:
    _fails_and_leaves_nothing(product, pair, "fail", job)


def test_a_platform_that_answers_nonsense(product: Product, pair: tuple[Department, Department]) -> None:
    _fails_and_leaves_nothing(product, pair, "nonsense", "createNetwork")


def test_a_platform_that_does_not_come_to_an_end(product: Product, pair: tuple[Department, Department]) -> None:
    """An operator's patience ends first: the flow is cancelled and what hangs is taken away."""
    creator, other = pair
    sandbox.fault(product, "hang", "createChain")
    before = _what_is_there(product)
    started = propose_union(f"Hangs {next(_numbers)}", creator, other)
    other.agree(started["proposal"])
    office = Office(product)
    flow = creator.caller.flow(started["flow"], until=("running",))
    while not any("chain" in step["name"] and step["state"] == "later" for step in flow["steps"]):
        assert flow["state"] == "running", flow
        flow = creator.caller.get(f"flows/{started['flow']}")
    office.administrator.post(f"flows/{started['flow']}/cancel", {"reason": "It hangs."}, expect=200)
    assert creator.caller.flow(started["flow"])["state"] == "cancelled"
    assert _what_is_there(product) == before


def test_a_refusal_leaves_only_its_record(product: Product, pair: tuple[Department, Department]) -> None:
    creator, other = pair
    before = _what_is_there(product)
    started = propose_union(f"Refused {next(_numbers)}", creator, other)
    body = {"orgcode": other.orgcode, "agree": False, "comment": "Not with these rules."}
    other.caller.post(f"proposals/{started['proposal']}/votes", body, expect=201)
    flow = creator.caller.flow(started["flow"])
    assert flow["state"] in ("undone", "cancelled")
    assert creator.caller.get(f"proposals/{started['proposal']}")["state"] == "refused"
    assert _what_is_there(product) == before


def _fails_and_leaves_nothing(product: Product, pair: tuple[Department, Department], kind: str, job: str) -> None:
    creator, other = pair
    name = f"Fails {next(_numbers)}"
    before = _what_is_there(product)
    sandbox.fault(product, kind, job)
    started = propose_union(name, creator, other)
    other.agree(started["proposal"])
    flow = creator.caller.flow(started["flow"])
    assert flow["state"] == "undone", flow
    assert flow["error"]["detail"]
    assert _what_is_there(product) == before
    assert name not in [union["name"] for union in creator.caller.all("unions") if union["state"] != "deleted"]


def _what_is_there(product: Product) -> tuple[int, int, int]:
    return len(sandbox.networks(product)), len(sandbox.chains(product)), len(sandbox.nodes(product))
