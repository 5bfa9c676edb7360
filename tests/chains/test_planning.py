"""Plans keep the promise of their mode, whatever is asked for. A small platform carries each plan out, step by step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chains.planning import (
    Ask,
    Plan,
    PlanStep,
    Priority,
    Running,
    Space,
    Trust,
    Wanted,
    advise,
    plan_chains,
    plan_joining,
    plan_scaling,
)
from console.errors import Conflict, Invalid, NotSupported

MODES = ("multi_subchain", "isolated", "private")
ORGS = ("tax", "housing", "social", "police")
OPERATIONS = (
    "create_network create_chain join_chain create_subchain join_subchain add_node remove_node".split()  # noqa: SIM905
)


class Small:
    """A platform that does what a step says, and nothing that a real one would refuse."""

    def __init__(self) -> None:
        self.on: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))  # chain → owner → nodes
        self.network = False
        self._numbers = count(1)
        self._done: set[str] = set()
        self._made: dict[str, str] = {}  # step → node

    def carry_out(self, steps: tuple[PlanStep, ...]) -> Small:
        for step in steps:
            assert step.key not in self._done
            assert set(step.needs) <= self._done, f"{step.key} comes before what it needs"
            self._do(step)
            self._done.add(step.key)
        return self

    def _do(self, step: PlanStep) -> None:
        if step.operation == "create_network":
            self.network = True
            return
        assert step.chain is not None
        chain = self.on[step.chain]
        if step.operation.startswith("create_"):
            assert not any(chain.values()), "a chain is created once"
        else:
            assert any(chain.values()), "nobody joins a chain that is not there"
        own = chain[step.orgcode]
        if step.operation == "remove_node":
            (node,) = step.nodes
            own.remove(node)
        elif step.operation.endswith("_subchain"):
            source = self.on[step.source][step.orgcode] if step.source is not None else set()
            nodes = set(step.nodes) | source | ({self._made[step.made_by]} if step.made_by else set())
            assert nodes, "a subchain is built on nodes"
            own |= nodes
        else:
            self._made[step.key] = f"new-{next(self._numbers)}"
            own.add(self._made[step.key])

    def chains_of_nodes(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = defaultdict(set)
        for chain, owners in self.on.items():
            for nodes in owners.values():
                for node in nodes:
                    found[node].add(chain)
        return found


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """Wishes, most of which make sense."""
    orgs = draw(st.lists(st.sampled_from(ORGS), min_size=1, max_size=4, unique=True))
    mode = draw(st.sampled_from(MODES))
    number = 1 if mode == "private" else draw(st.integers(1, 4))
    chosen = st.lists(st.sampled_from(orgs), min_size=1, max_size=len(orgs), unique=True).map(tuple)
    wanted = [Wanted(f"ledger-{at}", draw(chosen)) for at in range(number)]
    wanted[0] = replace(wanted[0], orgs=tuple(orgs))
    base = "chain-0" if mode == "multi_subchain" and draw(st.booleans()) else ""
    spaces = []
    for orgcode in orgs:
        standing = tuple(f"old-{orgcode}-{at}" for at in range(draw(st.integers(0, 2)))) if base else ()
        left = draw(st.one_of(st.none(), st.integers(0, 12)))
        spaces.append(Space(orgcode, orgcode.title(), left=left, standing=standing))
    nodes = draw(st.dictionaries(st.sampled_from(orgs), st.integers(1, 3)))
    network = "net-1" if len(orgs) > 1 and mode != "private" else draw(st.sampled_from(["", "net-1"]))
    return Ask("Permits", mode, orgs[0], tuple(spaces), tuple(wanted), nodes, network, base)


def planned(ask: Ask) -> Plan:
    try:
        return plan_chains(ask)
    except Invalid:
        assume(False)
        raise


@settings(max_examples=300, deadline=None)
@given(asks())
def test_every_plan_keeps_the_promise_of_its_mode(ask: Ask) -> None:
    plan = planned(ask)
    small = Small().carry_out(plan.steps)
    assert small.network is not bool(ask.network)
    serves = small.chains_of_nodes()
    if ask.createmode == "isolated":
        assert all(len(chains) == 1 for chains in serves.values()), "no node serves two chains"
        assert not any(node.startswith("old") for node in serves)
    elif ask.createmode == "private":
        assert len(small.on) == 1
        assert set(small.on[0]) == {ask.creator}, "all nodes stand in one space"
    else:
        for org in {orgcode for each in ask.wanted for orgcode in each.orgs}:
            theirs = [frozenset(owners[org]) for owners in small.on.values() if owners.get(org)]
            assert len(set(theirs)) == 1, "an organization's nodes serve every chain that it is in"
        if len(ask.wanted) > 1 or ask.base:
            shared = {node for node, chains in serves.items() if len(chains) > 1 or node.startswith("old")}
            assert all(shared & set().union(*owners.values()) for owners in small.on.values())


@settings(max_examples=200, deadline=None)
@given(asks())
def test_the_plan_says_what_its_steps_build(ask: Ask) -> None:
    plan = planned(ask)
    small = Small().carry_out(plan.steps)
    for number, chain in enumerate(plan.chains):
        said = {org: sum(n.orgcode == org and number in n.chains for n in plan.nodes) for org in chain.orgs}
        built = {org: len(small.on[number][org]) for org in chain.orgs}
        assert said == built
        if ask.createmode != "private":
            assert all(built.values()), "everyone in a chain has a node on it"
        assert chain.builder == (ask.creator if ask.creator in chain.orgs else chain.orgs[0])
    new = [node for node in small.chains_of_nodes() if node.startswith("new")]
    assert len(new) == sum(plan.new_nodes.values())
    assert plan.reasons


@settings(max_examples=200, deadline=None)
@given(asks())
def test_every_plan_stays_within_quota_and_is_the_same_again(ask: Ask) -> None:
    plan = planned(ask)
    for space in ask.spaces:
        assert space.left is None or plan.new_nodes.get(space.orgcode, 0) <= space.left
    assert plan_chains(ask) == plan
    turned = replace(ask, spaces=tuple(reversed(ask.spaces)))
    assert plan_chains(turned).new_nodes == plan.new_nodes


@settings(max_examples=100, deadline=None)
@given(asks(), st.sampled_from(OPERATIONS))
def test_what_the_platform_cannot_do_is_said_before_anything_is_built(ask: Ask, operation: str) -> None:
    plan = planned(ask)
    refusing = replace(ask, refusals={operation: f"no {operation} here"})
    if any(step.operation == operation for step in plan.steps):
        with pytest.raises(NotSupported, match=f"no {operation} here"):
            plan_chains(refusing)
    else:
        assert plan_chains(refusing).steps == plan.steps


def ask(createmode: str = "isolated", *wanted: Wanted, **changes: object) -> Ask:
    spaces = tuple(Space(orgcode, orgcode.title(), left=20) for orgcode in ("tax", "housing"))
    chains = wanted or (Wanted("one", ("tax", "housing")),)
    return replace(Ask("Permits", createmode, "tax", spaces, chains, network="net-1"), **changes)


BOTH, TAX, HOUSING = ("tax", "housing"), ("tax",), ("housing",)


@pytest.mark.parametrize(
    ("wish", "field", "words"),
    [
        (ask("shared"), "createmode", "One of"),
        (ask(creator="police"), "creatororg", "takes part"),
        (ask(wanted=()), "blockchains", "At least one"),
        (ask("isolated", *[Wanted(f"c{n}", BOTH) for n in range(21)]), "blockchains", "At most 20"),
        (ask("isolated", Wanted("a", BOTH), Wanted("a", BOTH)), "blockchains", "called “a”"),
        (ask("isolated", Wanted("a", ())), "blockchains", "no organization"),
        (ask("isolated", Wanted("a", (*BOTH, "police"))), "blockchains", "police is in “a”"),
        (ask("isolated", Wanted("a", TAX)), "blockchains", "housing is in none"),
        (ask("private", Wanted("a", BOTH), Wanted("b", BOTH)), "blockchains", "one chain"),
        (ask("multi_subchain", Wanted("a", TAX), Wanted("b", HOUSING)), "blockchains", "cannot share nodes"),
        (ask("multi_subchain", base="chain-9"), "blockchains", "cannot share nodes"),
        (ask("isolated", base="chain-9"), "infraspec", "share nodes"),
        (ask(nodes={"police": 1}), "infraspec", "police gets nodes"),
        (ask(nodes={"tax": 0}), "infraspec", "1 to 10"),
        (ask(nodes={"tax": 11}), "infraspec", "1 to 10"),
        (ask("private", nodes={"tax": 6, "housing": 6}), "infraspec", "1 to 10"),
        (ask(network=""), "unionid", "need a union"),
        (ask(spaces=(Space("tax", "Tax", left=0), Space("housing", "Housing"))), "infraspec", "Tax may build 0 more"),
    ],
)
def test_what_does_not_fit_is_named(wish: Ask, field: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        plan_chains(wish)
    assert list(caught.value.errors) == [field]
    assert words in caught.value.errors[field][0]


def test_a_second_chain_costs_no_node_where_nodes_are_shared() -> None:
    two = (Wanted("a", BOTH), Wanted("b", BOTH))
    assert plan_chains(ask("multi_subchain", *two)).new_nodes == {"tax": 1, "housing": 1}
    assert plan_chains(ask("isolated", *two)).new_nodes == {"tax": 2, "housing": 2}
    standing = tuple(Space(each, each.title(), left=0, standing=(f"n-{each}",)) for each in BOTH)
    shared = plan_chains(ask("multi_subchain", *two, spaces=standing, base="chain-1"))
    assert shared.new_nodes == {}
    assert [step.operation for step in shared.steps] == ["create_subchain", "join_subchain"] * 2


# --- moves --------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(MODES), st.lists(st.one_of(st.none(), st.just(("n-1", "n-2"))), min_size=1, max_size=4))
def test_joining_keeps_the_promise_too(mode: str, nodes: list[tuple[str, ...] | None]) -> None:
    steps = plan_joining(Running(mode, tuple(nodes)), Space("police", "Police"))
    missing = [number for number, own in enumerate(nodes) if own is None]
    if mode == "private":
        assert steps == ()
        return
    assert [step.chain for step in steps] == missing
    built = sum(step.operation == "join_chain" for step in steps)
    if mode == "isolated":
        assert built == len(missing)
    else:
        assert built == (1 if missing and len(missing) == len(nodes) else 0)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(("multi_subchain", "isolated")), st.integers(1, 5), st.integers(1, 3), st.integers(-1, 12))
def test_scaling_leaves_the_wanted_number_on_every_chain_concerned(
    mode: str, present: int, chains: int, wanted: int
) -> None:
    own = [
        tuple(f"n-{at if mode == 'multi_subchain' else (chain, at)}" for at in range(present))
        for chain in range(chains)
    ]
    running, small = Running(mode, tuple(own)), Small()
    for chain, nodes in enumerate(own):
        small.on[chain]["tax"] = set(nodes)
    space = Space("tax", "Tax", left=6)
    if wanted == present or not 1 <= wanted <= 10 or wanted - present > 6:
        with pytest.raises((Invalid, Conflict)) as caught:
            plan_scaling(running, space, chain=0, nodes=wanted)
        assert set(caught.value.errors) == {"nodes"}  # type: ignore[attr-defined]
        return
    small.carry_out(plan_scaling(running, space, chain=0, nodes=wanted))
    expected = [wanted if chain == 0 or mode == "multi_subchain" else present for chain in range(chains)]
    assert [len(small.on[chain]["tax"]) for chain in range(chains)] == expected


def test_scaling_says_what_it_cannot() -> None:
    running = Running("isolated", (("n-1", "n-2"), None), {"remove_node": "never"})
    with pytest.raises(NotSupported, match="never"):
        plan_scaling(running, Space("tax", "Tax"), chain=0, nodes=1)
    with pytest.raises(Invalid) as caught:
        plan_scaling(running, Space("tax", "Tax"), chain=1, nodes=1)
    assert list(caught.value.errors) == ["orgcode"]
    with pytest.raises(Invalid) as caught:
        plan_joining(running, Space("tax", "Tax", left=0))
    assert list(caught.value.errors) == ["orgcode"]


# --- advice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trust", "priority", "createmode"),
    [
        (Trust.STRONG, Priority.COST, "private"),
        (Trust.STRONG, Priority.THROUGHPUT, "private"),
        (Trust.STRONG, Priority.ISOLATION, "isolated"),
        (Trust.WEAK, Priority.COST, "multi_subchain"),
        (Trust.WEAK, Priority.ISOLATION, "isolated"),
        (Trust.WEAK, Priority.THROUGHPUT, "isolated"),
    ],
)
def test_the_mode_follows_from_trust_and_need(trust: str, priority: str, createmode: str) -> None:
    advice = advise(trust, priority)
    assert advice.createmode == createmode
    assert len(advice.reasons) == 2


def test_several_chains_are_no_private_chain() -> None:
    assert advise(Trust.STRONG, Priority.COST, chains=2).createmode == "multi_subchain"
    assert advise(Trust.STRONG, Priority.THROUGHPUT, chains=2).createmode == "isolated"
