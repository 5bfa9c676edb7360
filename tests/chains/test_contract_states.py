"""The states of contracts and their versions, written out; and what the database refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, models
from django_fsm import TransitionNotAllowed

from chains.models import Blockchain, BusinessChain, Contract, ContractRule, ContractVersion
from tests.chains.ledger_plane import Ledger
from tests.unions.cast import Cast

Edges = set[tuple[str, str, str]]
MakeChain = Callable[..., tuple[Blockchain, Ledger]]

CONTRACT: Edges = {
    ("prepared", "begin_creating", "creating"),
    ("failed", "begin_creating", "creating"),
    ("creating", "run", "running"),
    ("creating", "fail", "failed"),
    ("running", "stop", "stopped"),
    ("stopped", "resume", "running"),
    ("prepared", "delete_for_good", "deleted"),
    ("failed", "delete_for_good", "deleted"),
    ("running", "delete_for_good", "deleted"),
    ("stopped", "delete_for_good", "deleted"),
}
VERSION: Edges = {
    ("prepared", "begin_creating", "creating"),
    ("failed", "begin_creating", "creating"),
    ("creating", "run", "running"),
    ("creating", "fail", "failed"),
    ("running", "replace", "replaced"),
    ("replaced", "run_again", "running"),
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "stop": lambda row: row.stop("paused"),
    "run": lambda row: (
        row.run("0x1", "0x1") if isinstance(row, Contract) else row.run(address="0x1", transaction="0x2", sender="0x3")
    ),
}


@pytest.mark.parametrize(("model", "edges"), [(Contract, CONTRACT), (ContractVersion, VERSION)])
def test_the_diagram_is_this_and_every_other_move_is_refused(model: type[models.Model], edges: Edges) -> None:
    field = model._meta.get_field("state")
    assert {(t.source, t.name, t.target) for t in field.get_all_transitions(model)} == edges
    for verb in sorted({verb for _source, verb, _target in edges}):
        for state in [value for value, _label in field.choices]:
            row = model(state=state)
            target = next((to for source, name, to in edges if (source, name) == (state, verb)), None)
            take = CALLS.get(verb, lambda each, name=verb: getattr(each, name)())
            if target is None:
                with pytest.raises(TransitionNotAllowed):
                    take(row)
            else:
                take(row)
                assert row.state == target


@pytest.mark.django_db(transaction=True)
def test_a_name_is_free_again_once_its_contract_is_deleted(chain: MakeChain, cast: Cast) -> None:
    row, _ledger = chain()
    about = {"blockchain": row, "owner": cast.tax, "name": "Register", "name_key": "register"}
    first = Contract.objects.create(uid="ct-1", **about)
    with pytest.raises(IntegrityError):
        Contract.objects.create(uid="ct-2", **about)
    first.delete_for_good()
    first.save()
    Contract.objects.create(uid="ct-2", **about)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "running"},  # nowhere
        {"state": "stopped", "address": "0x1"},  # nobody knows how
        {"stop_way": "paused"},  # and is not stopped
        {"way": "magic"},
    ],
)
def test_the_database_refuses_a_contract_that_makes_no_sense(
    chain: MakeChain, cast: Cast, wrong: dict[str, str]
) -> None:
    row, _ledger = chain()
    with pytest.raises(IntegrityError):
        Contract.objects.create(uid="ct-1", blockchain=row, owner=cast.tax, name="A", name_key="a", **wrong)


@pytest.mark.django_db(transaction=True)
def test_a_rule_is_a_unions_or_a_chains_own(chain: MakeChain) -> None:
    row, _ledger = chain()
    assert not ContractRule.of(row).demands_vote("deploy")
    with pytest.raises(IntegrityError):
        ContractRule.objects.create()
    business = BusinessChain.objects.get(pk=row.business_chain_id)
    made = ContractRule.objects.create(
        vote_on_deploy=True, **({"union": business.union} if business.union else {"business_chain": business})
    )
    assert ContractRule.of(row) == made
    assert ContractRule.of(row).demands_vote("deploy")
    assert not ContractRule.of(row).demands_vote("delete")
