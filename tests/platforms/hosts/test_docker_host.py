"""A real container engine behind mutual TLS: everything made once, found again, removed whole, and told when not."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.errors import Missing, PlatformRefused, PlatformUnavailable
from platforms.hosts.docker import DockerHost, Limits, Wish
from platforms.hosts.engine import Registry
from tests.platforms.hosts.registry import PASSWORD, USERNAME, missing_for_registry, private_registry
from tests.tools.engines import Authority, Host, missing_for_engines, running_hosts
from tests.tools.images import pack

pytestmark = pytest.mark.skipif(bool(missing_for_engines()), reason=missing_for_engines())

IMAGE = "localhost/concord-shell:1"
IP = "127.0.21.1"
WAITS = ("-c", "trap 'exit 0' TERM; echo hello; while true; do sleep 1 & wait; done")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "shell.tar"
    pack(path, tag=IMAGE)
    return path


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with running_hosts(IP) as (made,):
        yield made


@contextlib.contextmanager
def speaking(host: Host, tlscert: str = "") -> Iterator[DockerHost]:
    client = DockerHost(host.ip, host.port, tlscert or host.tlscert, allow_private=True)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def engine(host: Host, archive: Path) -> Iterator[DockerHost]:
    with speaking(host) as client:
        assert client.ensure_image(IMAGE, archive=archive)
        yield client
        for each in client.containers():
            client.remove_container(each.name)
        client.remove_volume("data")
    assert host.left() == []


def wish(name: str = "node", command: tuple[str, ...] = WAITS, **more: object) -> Wish:
    return Wish(name, IMAGE, command, labels={"concord.chain": "c-1"}, **more)  # type: ignore[arg-type]


def test_what_is_wished_is_made_once_and_removed_whole(engine: DockerHost, host: Host) -> None:
    info = engine.info()
    assert (info.cpus > 0, info.memory > 2**20, info.version != "") == (True, True, True)
    engine.ensure_volume("data", {"concord.chain": "c-1"})
    engine.ensure_volume("data", {"concord.chain": "c-1"})
    wanted = wish(volumes={"data": "/data"}, limits=Limits(memory=64 * 2**20, cpus=0.5))
    first = engine.ensure_container(wanted)
    assert first.running
    assert engine.ensure_container(wanted) == first
    assert [each.name for each in engine.containers(chain="c-1")] == ["node"]
    assert engine.containers(chain="c-2") == []

    engine.put_file("node", "/data/config", "one\n")
    assert engine.execute("node", "cat", "/data/config") == "one\n"
    assert "hello" in engine.logs("node")
    usage = engine.usage("node")
    assert 0 < usage.memory <= usage.memory_limit == 64 * 2**20
    assert engine.free_disk("node", "/data") > 2**20
    details = host.podman("inspect", "node", "--format", "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.NanoCpus}}")
    assert details.split() == ["unless-stopped", "500000000"]

    other = wish(command=(*WAITS[:1], "echo changed; " + WAITS[1]), volumes={"data": "/data"})
    assert engine.ensure_container(other).running
    assert engine.execute("node", "cat", "/data/config") == "one\n"  # the volume outlives its container
    assert len(engine.containers()) == 1

    assert (engine.remove_container("node"), engine.remove_container("node")) == (True, False)
    assert (engine.remove_volume("data"), engine.remove_volume("data")) == (True, False)
    assert engine.container("node") is None
    with pytest.raises(Missing):
        engine.logs("node")


def test_a_stopped_container_is_started_again(engine: DockerHost, host: Host) -> None:
    engine.ensure_container(wish())
    host.podman("stop", "--time", "1", "node")
    assert not engine.containers()[0].running
    assert engine.ensure_container(wish()).running


def test_what_runs_once_leaves_nothing_and_tells_its_words(engine: DockerHost) -> None:
    assert engine.run_once(wish("once", ("-c", "echo made"), restart=False)) == "made\n"
    with pytest.raises(PlatformRefused, match="no genesis") as refused:
        engine.run_once(wish("once", ("-c", "echo no genesis >&2; exit 3"), restart=False))
    assert refused.value.code == "command_failed"
    with pytest.raises(PlatformRefused) as full:
        engine.run_once(wish("once", ("-c", "echo No space left on device >&2; exit 1"), restart=False))
    assert full.value.code == "no_disk"
    assert engine.containers() == []


def test_other_peoples_containers_are_left_alone(engine: DockerHost, host: Host) -> None:
    theirs = host.podman("run", "--detach", "--name", "node", "--label", "keeper=them", IMAGE, *WAITS)
    with pytest.raises(PlatformRefused) as refused:
        engine.ensure_container(wish())
    assert refused.value.code == "name_taken"
    with pytest.raises(PlatformRefused) as refused:
        engine.run_once(wish(restart=False))
    assert refused.value.code == "name_taken"
    assert not engine.remove_container("node")
    assert host.podman("ps", "--no-trunc", "--quiet").split() == theirs.split(), "it runs on"
    host.podman("rm", "--force", "--time", "1", "node")


def test_other_peoples_volumes_are_left_alone(engine: DockerHost, host: Host) -> None:
    host.podman("volume", "create", "--label", "keeper=them", "data")
    with pytest.raises(PlatformRefused, match="data") as refused:
        engine.ensure_volume("data", {"concord.chain": "c-1"})
    assert refused.value.code == "name_taken"
    assert not engine.remove_volume("data")
    assert host.left() == ["data"]
    host.podman("volume", "rm", "data")


def test_a_volume_that_was_lost_is_ours_when_it_is_made_anew(engine: DockerHost, host: Host) -> None:
    engine.ensure_container(wish(volumes={"data": "/data"}))
    engine.remove_container("node")
    assert host.left() == ["data"]
    assert engine.remove_volume("data")


def test_an_image_that_nobody_has_is_named(engine: DockerHost) -> None:
    with pytest.raises(PlatformRefused, match="localhost:1/nothing:1") as refused:
        engine.ensure_image("localhost:1/nothing:1")
    assert refused.value.code == "no_image"
    with pytest.raises(PlatformRefused) as refused:
        engine.ensure_container(Wish("node", "localhost/never:1"))
    assert refused.value.code == "no_image"


def test_who_shows_a_wrong_certificate_is_told_so(host: Host) -> None:
    strangers = Authority("Other CA").issue("stranger") + host.authority.pem
    with speaking(host, strangers) as client, pytest.raises(PlatformRefused) as refused:
        client.info()
    assert refused.value.code == "credential_refused"
    with speaking(host, Authority().bundle("other")) as client, pytest.raises(PlatformRefused) as refused:
        client.info()
    assert refused.value.code == "certificate_not_trusted"
    with pytest.raises(PlatformRefused) as refused:
        DockerHost(host.ip, host.port, host.tlscert, allow_private=False)
    assert refused.value.code == "address_refused"


def test_a_host_that_dies_in_the_middle_is_gone_on_with(host: Host, engine: DockerHost) -> None:
    engine.ensure_container(wish())
    host.stop()
    with pytest.raises(PlatformUnavailable):
        engine.ensure_container(wish())
    host.start()
    assert engine.ensure_container(wish()).running
    assert len(engine.containers()) == 1


@pytest.mark.skipif(bool(missing_for_registry()), reason=missing_for_registry())
def test_images_come_from_a_private_registry(archive: Path) -> None:
    with (
        private_registry("127.0.21.9") as registry,
        running_hosts("127.0.21.2", registries=registry.trusted) as (host,),
        speaking(host) as client,
    ):
        image = registry.push(host, archive, IMAGE, "kernels/shell:1")
        for wrong in (Registry(USERNAME, "wrong"), Registry()):
            with pytest.raises(PlatformRefused) as refused:
                client.ensure_image(image, registry=wrong)
            assert refused.value.code == "no_image"
            assert PASSWORD not in str(refused.value)
        assert client.ensure_image(image, registry=Registry(USERNAME, PASSWORD))
        assert client.run_once(Wish("once", image, ("-c", "echo pulled"), restart=False)) == "pulled\n"
        assert PASSWORD not in host.podman("info", "--format", "json")
        with pytest.raises(PlatformRefused, match="no archive"):
            client.ensure_image("localhost/other:1", archive=archive)


def test_a_host_without_space_says_so(tmp_path: Path) -> None:
    hosts = contextlib.ExitStack()
    try:
        (host,) = hosts.enter_context(running_hosts("127.0.21.3", disk="5m"))
    except subprocess.CalledProcessError:
        pytest.skip("this machine lets nobody mount a small disk")
    archive = tmp_path / "shell.tar"
    pack(archive, tag=IMAGE)
    with hosts, speaking(host) as client, pytest.raises(PlatformRefused) as refused:
        client.ensure_image(IMAGE, archive=archive)
    assert refused.value.code == "no_disk"
