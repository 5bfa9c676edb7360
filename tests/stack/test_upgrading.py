"""A rolling upgrade on real validators, by the flow that an administrator starts: one node at a time, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from console.errors import Conflict
from console.models import FlowState, StepState, User
from console.services.flows import retry_step
from platforms.models import NativeNode
from platforms.services.upgrades import outdated_nodes, upgrade_nodes
from tests.stack.estate import Estate, ended, estate, told, use_image, work_until
from tests.tools.engines import Host, missing_for_engines
from tests.tools.images import missing_for, named, pack
from tests.unions.conftest import root  # noqa: F401 - a fixture
from unions.models import Union

REASON = missing_for_engines() or missing_for("ethereum")
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(600),  # a machine that does other things as well is slow
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(REASON), reason=REASON),
]
NEXT, BROKEN = "localhost/concord-ethereum:next", "localhost/concord-ethereum:broken"


def image_on(host: Host) -> str:
    """What runs there, as the engine says."""
    return host.podman("ps", "--format", "{{.Image}}").strip()


def provide(made: Estate, tag: str, *, broken: bool = False) -> None:
    """The image on every host: the kernel under another tag, or one in which there is no kernel."""
    for office in made.offices:
        if broken:
            archive = office.host.folder / "broken.tar"
            pack(archive, tag=tag)
            office.host.podman("load", "--input", str(archive))
        else:
            office.host.podman("tag", named("ethereum").tag, tag)


def keys() -> dict[str, tuple[str, str]]:
    """Who each node is; an upgrade changes nothing of that."""
    return {row.node_id: (row.address, row.enode) for row in NativeNode.objects.all()}


def height(made: Estate, union: Union) -> int:
    from platforms import standard
    from platforms.drivers import driver_for
    from platforms.drivers.base import Credentials, read

    request = standard.ChainRequest(chain_id=made.chain(union).external_id)
    summary: Any = read(driver_for(made.platform), "get_ledger_summary", request, Credentials())
    return int(summary.height)


def test_node_by_node_while_the_chain_goes_on(root: User, settings: Any) -> None:  # noqa: F811
    ips = ("127.0.53.1", "127.0.53.2", "127.0.53.3")
    with estate(root, settings, "Tax", "Library", "Parks", ips=ips) as made:
        union = made.unite()
        old, before = named("ethereum").tag, keys()
        provide(made, NEXT)
        use_image(settings, "ethereum", NEXT)
        assert outdated_nodes(made.platform).count() == 3
        flow = upgrade_nodes(actor=root, oemtype=made.platform.oemtype)

        heights, new_ones = [height(made, union)], []
        for number in (1, 2, 3):
            done = flow.steps.filter(state=StepState.DONE)
            work_until(lambda done=done, number=number: done.count() == number, f"node {number}")
            heights.append(height(made, union))
            new_ones.append(sum(image_on(office.host) == NEXT for office in made.offices))
        assert new_ones == [1, 2, 3], "one after the other"
        assert heights == sorted(set(heights)), "between any two there were blocks"
        assert ended(flow.pk).state == FlowState.DONE
        assert {image_on(office.host) for office in made.offices} == {NEXT}
        assert keys() == before
        assert all(len(office.host.left()) == 2 for office in made.offices), "a container and a volume each"
        with pytest.raises(Conflict, match="All nodes run"):
            upgrade_nodes(actor=root, oemtype=made.platform.oemtype)

        _an_image_that_does_not_run(made, settings, root, union)
        assert old != NEXT


def _an_image_that_does_not_run(made: Estate, settings: Any, root: User, union: Union) -> None:  # noqa: F811
    """It stops at the first node, which runs its old image again; with a better image it goes on from there."""
    provide(made, BROKEN, broken=True)
    use_image(settings, "ethereum", BROKEN)
    flow = ended(upgrade_nodes(actor=root, oemtype=made.platform.oemtype).pk)
    assert flow.state == FlowState.FAILED, told(flow)
    states = list(flow.steps.order_by("number").values_list("state", flat=True))
    assert states == [StepState.FAILED, StepState.SKIPPED, StepState.SKIPPED], told(flow)
    stopped = flow.steps.get(state=StepState.FAILED)
    assert stopped.stopped_half_way, "an operator can let it go on"
    assert (flow.error or {})["code"] in ("node_died", "engine_refused", "command_failed", "node_silent")
    assert {image_on(office.host) for office in made.offices} == {NEXT}, told(flow)
    before = height(made, union)
    work_until(lambda: height(made, union) > before + 2, "the chain goes on")

    use_image(settings, "ethereum", named("ethereum").tag)
    retry_step(actor=root, flow_id=flow.pk, step_id=stopped.pk)
    flow = ended(flow.pk)
    assert flow.state == FlowState.DONE, told(flow)
    assert {image_on(office.host) for office in made.offices} == {named("ethereum").tag}


def test_it_stops_where_the_chain_stands_and_goes_on_when_that_does(root: User, settings: Any) -> None:  # noqa: F811
    """Two of two validators are needed: with one away, the other is not touched."""
    with estate(root, settings, "Tax", "Library", ips=("127.0.53.4", "127.0.53.5")) as made:
        made.unite()
        provide(made, NEXT)
        use_image(settings, "ethereum", NEXT)
        tax, library = made.offices
        library.host.cut()
        promised = upgrade_nodes(actor=root, oemtype=made.platform.oemtype)
        flow = ended(promised.pk)
        assert flow.state == FlowState.FAILED, told(flow)
        error = flow.error or {}
        assert error["code"] == "chain_stands", told(flow)
        assert "makes no blocks" in error["detail"]
        assert image_on(tax.host) == named("ethereum").tag, "nothing was touched"

        library.host.mend()
        stopped = flow.steps.get(state=StepState.FAILED)
        retry_step(actor=root, flow_id=flow.pk, step_id=stopped.pk)
        flow = ended(flow.pk)
        assert flow.state == FlowState.DONE, told(flow)
        assert {image_on(office.host) for office in made.offices} == {NEXT}

        _and_half_way(made, settings, root)


def _and_half_way(made: Estate, settings: Any, root: User) -> None:  # noqa: F811
    """The chain stops when the first node has its image: the second keeps its own until the chain goes on."""
    tax, library = made.offices
    old = named("ethereum").tag
    use_image(settings, "ethereum", old)
    promised = upgrade_nodes(actor=root, oemtype=made.platform.oemtype)
    done = promised.steps.filter(state=StepState.DONE)
    work_until(done.exists, "the first node")
    first, second = (tax, library) if image_on(tax.host) == old else (library, tax)
    second.host.cut()
    flow = ended(promised.pk)
    assert flow.state == FlowState.FAILED, told(flow)
    assert (flow.error or {})["code"] == "chain_stands", told(flow)
    assert [image_on(office.host) for office in (first, second)] == [old, NEXT]

    second.host.mend()
    retry_step(actor=root, flow_id=flow.pk, step_id=flow.steps.get(state=StepState.FAILED).pk)
    flow = ended(flow.pk)
    assert flow.state == FlowState.DONE, told(flow)
    assert {image_on(office.host) for office in made.offices} == {old}
