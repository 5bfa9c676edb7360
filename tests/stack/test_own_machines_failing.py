"""Unions on own machines that cannot be built: each reason in words on the flow, and nothing left on any host.

Every failure is made for real: a certificate of strangers, a disk that is full, an image that nobody has, a port that
somebody else holds, a host that dies. What is left is asked of the engines, not of the console.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from console.errors import PlatformRefused
from console.models import Flow, FlowState, Step, StepLog, StepState, User
from console.services.flows import retry_step
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, Pending
from platforms.drivers.evm import building, voting
from platforms.models import NativeChain, NativeNetwork, NativeNode
from tests.platforms.evm.lying import LyingNode
from tests.stack.estate import GOING_ON, PATIENCE, Estate, ended, estate, told, work_until
from tests.stack.site import Site, site
from tests.tools.engines import Authority, Host, missing_for_engines
from tests.tools.images import missing_for, pack
from tests.tools.ports import taken
from tests.tools.waiting import until
from tests.unions.conftest import root  # noqa: F401 - a fixture
from unions.models import Union
from unions.services.organizations import update_organization

ENGINES, NO_ETHEREUM = missing_for_engines(), missing_for("ethereum")
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(480),  # a machine that does other things as well is slow
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(ENGINES), reason=ENGINES),
]
needs_kernel = pytest.mark.skipif(bool(NO_ETHEREUM), reason=NO_ETHEREUM)
SHELL = "localhost/concord-shell:1"
HANGS = f"""#!/bin/sh
case "$*" in
*"account new"*) mkdir -p /data/keystore; echo > /data/keystore/UTC--{"1a" * 20};;
*init*) ;;
*attach*) exit 1;;
*) trap exit TERM; sleep 600 & wait;;
esac
"""  # in the place of geth: makes a key, and then never answers

FAILS = """#!/bin/sh
case "$*" in
*"account new"*) mkdir -p /data/keystore; echo > /data/keystore/UTC--%s;;
*) echo "in words that nobody knows" >&2; exit 1;;
esac
""" % ("1a" * 20)  # in the place of geth: cannot write the first block, and does not say why


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, Any]:
    """An image that is quickly made, for what fails before a kernel is wanted."""
    pack(tmp_path / "ethereum.tar", tag=SHELL)
    return {"image": SHELL, "archives": tmp_path}


def undone(made: Estate, *, code: str, at: Host) -> str:
    """A union is asked for and agreed to; its flow ends undone, says why and where, and nothing of it is left."""
    proposal = made.propose()
    made.agree(proposal)
    flow = ended(proposal.flow_id)
    assert flow.state == FlowState.UNDONE, told(flow)
    error = flow.error or {}
    assert error.get("code") == code, told(flow)
    assert at.ip in error["detail"]
    _nothing_is_left(made)
    return str(error["detail"])


def _nothing_is_left(made: Estate) -> None:
    assert made.left() == [[] for _office in made.offices]
    assert not Union.objects.filter(state="active").exists()
    assert [model.objects.count() for model in (NativeNetwork, NativeChain, NativeNode)] == [0, 0, 0]


def test_a_host_refuses_the_certificate(root: User, settings: Any, shell: dict[str, Any]) -> None:  # noqa: F811
    with estate(root, settings, "Tax", "Library", ips=("127.0.52.1", "127.0.52.2"), **shell) as made:
        library = made.offices[1]
        strange = Authority("Strangers").issue("stranger") + library.host.authority.pem
        update_organization(actor=library.clerk, orgcode=library.orgcode, changes={"tlscert": strange})
        undone(made, code="credential_refused", at=library.host)
        other_authority = Authority("Others").bundle("department")
        update_organization(actor=library.clerk, orgcode=library.orgcode, changes={"tlscert": other_authority})
        undone(made, code="certificate_not_trusted", at=library.host)


def test_nobody_has_the_image(root: User, settings: Any, tmp_path: Path) -> None:  # noqa: F811
    ips = ("127.0.52.3", "127.0.52.4")
    with estate(root, settings, "Tax", "Library", ips=ips, image="localhost:1/geth:9", archives=tmp_path) as made:
        assert "localhost:1/geth:9" in undone(made, code="no_image", at=made.offices[0].host)


@contextlib.contextmanager
def another_chain(ip: str, port: int) -> Iterator[None]:
    """Somebody's node listens there, and answers as nodes do: for its own chain."""
    theirs = LyingNode(ip, port)
    try:
        yield
    finally:
        theirs.close()


@needs_kernel
@pytest.mark.parametrize("has_it", [taken, another_chain])
def test_a_port_is_taken_on_the_members_host(root: User, settings: Any, has_it: Any) -> None:  # noqa: F811
    """The creator's node seals already: it goes as well."""
    with estate(root, settings, "Tax", "Library", ips=("127.0.52.5", "127.0.52.6")) as made:
        host = made.offices[1].host
        with has_it(host.ip, 8545):
            undone(made, code="port_taken", at=host)


def test_a_disk_is_full_from_the_start(root: User, settings: Any, shell: dict[str, Any]) -> None:  # noqa: F811
    ips = ("127.0.52.7", "127.0.52.14")
    with small_disks("5m"), estate(root, settings, "Tax", "Library", ips=ips, disk="5m", **shell) as made:
        undone(made, code="no_disk", at=made.offices[0].host)


@needs_kernel
def test_a_disk_fills_up_in_the_middle(root: User, settings: Any) -> None:  # noqa: F811
    """Image and keys are there, and then the member's node has no room; the creator's, which seals, goes as well.

    On a disk without a single byte the engine may be unable to remove anything: then that waits for room.
    """
    ips = ("127.0.52.8", "127.0.52.9")
    with small_disks("900m"), estate(root, settings, "Tax", "Library", ips=ips, disk="900m") as made:
        library = made.offices[1]
        proposal = made.propose()
        made.agree(proposal)
        theirs = NativeNode.objects.filter(orgcode=library.orgcode).exclude(address="")
        work_until(theirs.exists, "the member's keys")
        with full(library.host):
            work_until(lambda: _is_undone_or_waits(proposal.flow_id), "the failure to be undone, or to wait for room")
        flow = ended(proposal.flow_id)
        assert flow.state == FlowState.UNDONE, told(flow)
        assert (flow.error or {}).get("code") == "no_disk", told(flow)
        assert library.host.ip in told(flow)
        _nothing_is_left(made)


def _is_undone_or_waits(flow_id: Any) -> bool:
    flow = Flow.objects.get(pk=flow_id)
    waiting = flow.steps.exclude(undo_error=None).values_list("undo_error", flat=True)
    return flow.state not in GOING_ON or any(each["code"] == "no_disk" for each in waiting)


def _wanted_chain(made: Site) -> Any:
    """A network, and the request for its first chain."""
    network_id = made.do("create_network", name="Permits", creator=made.party(0)).network_id
    return standard.OPERATIONS["create_chain"].request(network_id=network_id, name="Permits", creator=made.party(0))


def test_a_node_that_hangs_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It never dies and never answers, as on a machine that is slow: what is looked at last is its disk."""
    monkeypatch.setattr(building, "START_SECONDS", 3.0)
    (tmp_path / "geth").write_text(HANGS)
    pack(tmp_path / "ethereum.tar", tag="localhost/concord-hangs:1", program=tmp_path / "geth")
    chosen = {"image": "localhost/concord-hangs:1", "archives": tmp_path}
    with small_disks("40m"), site("ethereum", "55", 1, disk="40m", **chosen) as made:
        wanted = _wanted_chain(made)

        def go(position: Any) -> Any:
            return made.driver.perform("create_chain", wanted, credentials=Credentials(), key="one", position=position)

        begun = go(None)
        assert isinstance(begun, Pending)
        with full(made.hosts[0]):
            time.sleep(building.START_SECONDS)
            with pytest.raises(PlatformRefused) as refused:
                go(begun.position)
        assert refused.value.code == "no_disk"
        assert made.hosts[0].ip in refused.value.detail
        with pytest.raises(PlatformRefused) as refused:
            go(begun.position)
        assert refused.value.code == "node_silent", "with room again, all that is known is that it is silent"


def test_a_disk_with_too_little_room_is_named_whatever_failed_for_it(tmp_path: Path) -> None:
    (tmp_path / "geth").write_text(FAILS)
    pack(tmp_path / "ethereum.tar", tag="localhost/concord-fails:1", program=tmp_path / "geth")
    chosen = {"image": "localhost/concord-fails:1", "archives": tmp_path}
    with small_disks("60m"), site("ethereum", "56", 1, disk="60m", **chosen) as made:
        wanted = _wanted_chain(made)

        def code() -> str:
            with pytest.raises(PlatformRefused) as refused:
                made.driver.perform("create_chain", wanted, credentials=Credentials(), key="one", position=None)
            return refused.value.code

        assert code() == "command_failed"
        with full(made.hosts[0], but=3 * 2**20):
            assert code() == "no_disk"
        assert code() == "command_failed"


def test_what_other_people_have_of_a_nodes_name_stays(tmp_path: Path) -> None:
    """The node is refused for it, and what was begun goes; theirs does not."""
    (tmp_path / "geth").write_text(HANGS)
    pack(tmp_path / "ethereum.tar", tag="localhost/concord-hangs:1", program=tmp_path / "geth")
    chosen = {"image": "localhost/concord-hangs:1", "archives": tmp_path}
    with site("ethereum", "57", 1, **chosen) as made:
        (host,) = made.hosts
        network_id = made.do("create_network", name="Permits", creator=made.party(0)).network_id
        wanted = {"network_id": network_id, "name": "Permits", "creator": made.party(0)}
        request = standard.OPERATIONS["create_chain"].request(**wanted)
        begun = made.driver.perform("create_chain", request, credentials=Credentials(), key="one", position=None)
        assert isinstance(begun, Pending)
        container, volume = host.left()
        assert container == volume, "one node, one name"
        host.podman("rm", "--force", "--time", "1", container)
        host.podman("run", "--detach", "--name", container, chosen["image"], "-c", "while true; do sleep 1; done")
        with pytest.raises(PlatformRefused) as refused:
            made.driver.perform("create_chain", request, credentials=Credentials(), key="one", position=begun.position)
        assert refused.value.code == "name_taken"
        made.do("delete_network", network_id=network_id, creator=made.party(0))
        assert host.left() == [container]
        assert host.podman("ps", "--format", "{{.Names}}").split() == [container], "it runs on"
        assert [model.objects.count() for model in (NativeNetwork, NativeChain, NativeNode)] == [0, 0, 0]


@needs_kernel
def test_a_host_dies_in_the_middle_and_comes_back(root: User, settings: Any) -> None:  # noqa: F811
    """Within the attempts of a step: the flow goes on with what it finds there."""
    with estate(root, settings, "Tax", "Library", ips=("127.0.52.10", "127.0.52.11")) as made:
        library = made.offices[1]
        proposal = made.propose()
        made.agree(proposal)
        theirs = NativeNode.objects.filter(orgcode=library.orgcode).exclude(address="")
        work_until(theirs.exists, "the member's keys")
        address = theirs.get().address
        library.host.stop()
        failing = Step.objects.filter(flow=proposal.flow_id, state=StepState.LATER, error__isnull=False)
        work_until(failing.exists, "an attempt that fails")
        assert library.host.ip in str(failing.get().error)
        library.host.start()
        flow = ended(proposal.flow_id)
        assert flow.state == FlowState.DONE, told(flow)
        assert theirs.get().address == address  # the same keys: nothing was made twice
        assert len(library.host.left()) == 2  # one container, one volume


@needs_kernel
def test_the_creators_host_dies_within_the_first_go_and_comes_back(root: User, settings: Any) -> None:  # noqa: F811
    """All that the console has is what the driver wrote down; it is gone on with, and not looked at until it grows."""
    with estate(root, settings, "Tax", "Library", ips=("127.0.52.15", "127.0.52.16")) as made:
        tax = made.offices[0]
        ours = NativeNode.objects.filter(orgcode=tax.orgcode)
        proposal = made.propose()
        made.agree(proposal)
        step = Step.objects.get(flow=proposal.flow_id, name="chain")
        with dies_once(tax.host, ours.exclude(address="").exists):
            work_until(lambda: _fails(step), "an attempt that fails")
        assert tax.host.ip in str(step.error)
        assert step.position is None, "it was in its first go"
        address = ours.get().address
        tax.host.start()
        flow = ended(proposal.flow_id)
        assert flow.state == FlowState.DONE, told(flow)
        assert_gone_on_with(step)
        assert [(chain.built, chain.nodes.filter(built=True).count()) for chain in NativeChain.objects.all()] == [
            (True, 2)
        ]
        assert ours.get().address == address
        assert [len(each) for each in made.left()] == [2, 2]  # one container, one volume


@needs_kernel
def test_a_member_is_in_only_when_the_others_have_voted(root: User, settings: Any) -> None:  # noqa: F811
    """Its node runs, its worker is lost, and the next attempt does not even reach it: that is no member yet."""
    with estate(root, settings, "Tax", "Library", ips=("127.0.52.17", "127.0.52.18")) as made:
        tax, library = made.offices
        proposal = made.propose()
        made.agree(proposal)
        theirs = NativeNode.objects.filter(orgcode=library.orgcode)
        work_until(theirs.exclude(enode="").exists, "the member's node")
        tax.host.cut()  # no vote gets through
        step = Step.objects.get(flow=proposal.flow_id, name=f"chain-member:{library.orgcode}")
        lose_worker(step)
        library.host.stop()
        work_until(lambda: _fails(step), "an attempt that fails")
        assert step.position is None
        assert not theirs.get().built
        library.host.start()
        tax.host.mend()
        flow = ended(proposal.flow_id)
        assert flow.state == FlowState.DONE, told(flow)
        assert_gone_on_with(step)
        assert theirs.get().address in sealing(made)
        assert theirs.get().built


def _fails(step: Step) -> bool:
    step.refresh_from_db()
    return step.state == StepState.LATER and step.error is not None


def lose_worker(step: Step) -> None:
    """It died with all that its go had found out."""
    past = timezone.now() - timedelta(seconds=1)
    lost = {"state": StepState.RUNNING, "attempts": 1, "owner": uuid4(), "lease_until": past, "due_at": past}
    Step.objects.filter(pk=step.pk).update(position=None, **lost)


def assert_gone_on_with(step: Step) -> None:
    """By asking the driver again: nothing was found that an earlier attempt had made, or waited for."""
    step.refresh_from_db()
    assert step.state == StepState.DONE
    assert "looks" not in (step.position or {})
    lines = list(StepLog.objects.filter(step=step).values_list("message", flat=True))
    assert [line for line in lines if line.startswith("found ")] == []


def sealing(made: Estate) -> set[str]:
    """Who seals blocks, as the nodes themselves say."""
    driver: Any = driver_for(made.platform)
    return voting.validators_of(driver._tools, driver._book.chains()[0])


@contextlib.contextmanager
def dies_once(host: Host, reached: Callable[[], bool]) -> Iterator[None]:
    """Beside what is done in the block: the host dies at the moment at which this is so."""

    def watch() -> None:
        try:
            until(reached, PATIENCE, "the moment to die", every=0.005)
            host.stop()
        finally:
            connection.close()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield
    watcher.join()


@needs_kernel
def test_a_host_dies_and_stays_away(root: User, settings: Any) -> None:  # noqa: F811
    """What can be taken back is; for the rest the flow waits for an operator, and ends once the host is there again."""
    with estate(root, settings, "Tax", "Library", ips=("127.0.52.12", "127.0.52.13")) as made:
        tax, library = made.offices
        proposal = made.propose()
        made.agree(proposal)
        theirs = NativeNode.objects.filter(orgcode=library.orgcode).exclude(address="")
        work_until(theirs.exists, "the member's keys")
        library.host.stop()
        flow = ended(proposal.flow_id)
        assert flow.state == FlowState.FAILED, told(flow)
        assert library.host.ip in str(flow.error)
        stuck = flow.steps.exclude(undo_error=None).get()
        assert library.host.ip in str(stuck.undo_error)
        assert not Union.objects.filter(state="active").exists()

        library.host.start()
        retry_step(actor=root, flow_id=flow.pk, step_id=stuck.pk)
        flow = ended(flow.pk)
        assert flow.state == FlowState.UNDONE, told(flow)
        _nothing_is_left(made)
        assert tax.host.left() == []


@contextlib.contextmanager
def small_disks(size: str) -> Iterator[None]:
    """Skips where this machine lets nobody mount a disk of its own size."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("this machine lets nobody mount a small disk")
        subprocess.run(["umount", folder], check=True)
        yield


class full:
    """The host's disk without any room, or with so many bytes of it, for the time of the block."""

    def __init__(self, host: Host, *, but: int = 0) -> None:
        self.filler, self.but = host.folder / "filler", but

    def __enter__(self) -> None:
        with contextlib.suppress(OSError), self.filler.open("wb", buffering=0) as file:
            while file.write(bytes(2**20)):
                pass
        os.truncate(self.filler, self.filler.stat().st_size - self.but)

    def __exit__(self, *_problem: object) -> None:
        self.filler.unlink()
