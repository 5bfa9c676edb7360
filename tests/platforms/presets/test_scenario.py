"""The government scenario on a preset: registered like any platform, then unions by the real flows, against moto.

Nothing here knows the platform: what is Amazon's stands in the preset's files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from console.flows import engine
from console.models import Flow, FlowState, Step, User
from platforms.models import Platform, PlatformState
from platforms.presets import preset
from platforms.services.platforms import register_platform
from tests.platforms.presets.amb import ACCOUNTS, Shim
from tests.unions.cast import cloud, registered
from tests.unions.conftest import _quick_passwords, root  # noqa: F401 - fixtures
from unions.models import Organization, Proposal, Union, UnionState
from unions.services.proposals import cast_vote
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

pytestmark = pytest.mark.django_db(transaction=True)
SLUG = "amazon-managed-blockchain"
KEYS = list(ACCOUNTS)


@pytest.fixture
def shim(moto: str) -> Iterator[Shim]:
    with Shim(moto, page=2) as platform:
        yield platform


@pytest.fixture
def platform(shim: Shim, root: User, settings: Any) -> Platform:  # noqa: F811
    """Registered with the preset's files, as they stand, and the operator's key."""
    settings.ALLOW_PRIVATE_PLATFORMS = True
    chosen = preset(SLUG)
    started = register_platform(
        actor=root,
        oemtype=SLUG,
        name=chosen.title,
        kind="mapped",
        cloudtype=chosen.cloudtype,
        kernel=chosen.kernel,
        base_url=shim.address,
        credentials={"ak": KEYS[0], "sk": ACCOUNTS[KEYS[0]][0]},
        api_file=chosen.api_file,
        mapping=chosen.mapping,
        samples=chosen.samples,
        is_default=True,
    )
    assert finished(started.flow.pk).state == FlowState.DONE
    made = Platform.objects.get(pk=started.platform.pk)
    assert made.state == PlatformState.OFFICIAL
    return made


def finished(flow_id: Any) -> Flow:
    """The flow, at its end or where somebody has to act; nothing waits for the times at which steps are due."""
    for _round in range(400):
        Step.objects.filter(flow_id=flow_id, state__in=["later", "ready", "undoing"]).update(due_at=timezone.now())
        steps = engine.due_steps()
        if not steps:
            break
        engine.run_step(steps[0])
    return Flow.objects.get(pk=flow_id)


def department(root: User, number: int, name: str) -> tuple[User, Organization]:  # noqa: F811
    secret, account = ACCOUNTS[KEYS[number]]
    return registered(root, f"clerk{number}", cloud(name, account, ak=KEYS[number], sk=secret))


def carried(proposal: Proposal, *voters: tuple[User, Organization]) -> Flow:
    finished(proposal.flow_id)
    for user, organization in voters:
        cast_vote(actor=user, proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
    flow = finished(proposal.flow_id)
    assert flow.state == FlowState.DONE, [(each.name, each.state, each.error) for each in flow.steps.all()]
    return flow


def test_departments_found_a_union_join_quit_and_delete_it(shim: Shim, platform: Platform, root: User) -> None:  # noqa: F811
    (alice, tax), (bob, housing), (carol, pensions) = (
        department(root, number, name) for number, name in enumerate(("Tax", "Housing", "Pensions"))
    )
    founding = propose_union(actor=alice, name="Permits", oemtype=SLUG, creatororg=tax.orgcode, orgs=[housing.orgcode])
    carried(founding, (bob, housing))
    union = Union.objects.get()
    assert union.state == UnionState.ACTIVE
    assert union.network_id.startswith("n-")
    assert {each.organization: each.member_id[:2] for each in union.members.all()} == {tax: "m-", housing: "m-"}

    joining = propose_join(actor=carol, unionid=union.unionid, orgcode=pensions.orgcode)
    carried(joining, (alice, tax), (bob, housing))
    accounts = {account for account, call in shim.signed_by if call == "POST /networks/*/nodes"}
    assert accounts == {account for _secret, account in ACCOUNTS.values()}, "each built its node with its own key"

    leaving = propose_quit(actor=bob, unionid=union.unionid, orgcode=housing.orgcode)
    carried(leaving)
    assert [call for _account, call in shim.signed_by].count("DELETE /networks/*/members/*") == 1

    ending = propose_delete(actor=alice, unionid=union.unionid)
    carried(ending)
    union.refresh_from_db()
    assert union.state == UnionState.DELETED
    assert not shim._home, "no member is left at the platform"


def test_what_the_platform_cannot_do_is_said_before_it_is_tried(platform: Platform) -> None:
    assert platform.capability("create_network") == (True, "")
    supported, reason = platform.capability("create_chain")
    assert not supported
    assert "AWS has no API for channels" in reason
