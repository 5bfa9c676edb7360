"""Three departments with a machine each: real engines, and the driver with its book in the database."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from platforms import standard
from platforms.drivers.base import Credentials, Finished
from platforms.drivers.evm.book import Book, Spaces
from platforms.drivers.evm.building import START_SECONDS
from platforms.drivers.evm.driver import EvmDriver
from platforms.drivers.evm.programs import Settings
from platforms.drivers.evm.upgrading import STANDS_SECONDS
from platforms.hosts.docker import Limits
from platforms.hosts.spaces import Space
from platforms.models import Cloudtype, Kernel, Platform, PlatformKind
from platforms.services.native import book_of
from tests.tools.engines import Host, running_hosts
from tests.tools.images import TARGET, named
from tests.tools.waiting import until

# The driver itself allows so long for a block before an upgrade, for the node, and for a block after it.
UPGRADE_SECONDS = 2 * (STANDS_SECONDS + 20) + START_SECONDS


@dataclass
class Site:
    """A driver, and the hosts that it builds on: organization `org-N` has the N-th."""

    driver: EvmDriver
    hosts: list[Host]
    book: Book
    spaces: Spaces

    def party(self, number: int) -> standard.Party:
        host = self.hosts[number]
        machines = (standard.Machine(ip=host.ip, port=host.port),)
        return standard.Party(orgcode=f"org-{number}", name=f"Office {number}", category="on_prem", machines=machines)

    def do(self, operation: str, key: str = "", *, seconds: float = 60.0, **request: Any) -> Any:
        """The operation, carried through its waits; each go may be the first one of another worker."""
        wanted = standard.OPERATIONS[operation].request(**request)

        def go(position: Any) -> Any:
            return self.driver.perform(
                operation, wanted, credentials=Credentials(), key=key or operation, position=position
            )

        return self._carried(go, seconds, operation)

    def upgrade(self, node_id: str) -> Any:
        return self._carried(
            lambda position: self.driver.upgrade(node_id, position=position), UPGRADE_SECONDS, "the upgrade"
        )

    def with_image(self, image: str) -> Site:
        """The same machines, with other settings."""
        settings = replace(self.driver.settings, image=image)
        return Site(
            EvmDriver(book=self.book, spaces=self.spaces, settings=settings), self.hosts, self.book, self.spaces
        )

    def _carried(self, go: Callable[[Any], Any], seconds: float, what: str) -> Any:
        position: Any = None

        def through() -> Any:
            nonlocal position
            result = go(position)
            if isinstance(result, Finished):
                return result
            position = result.position
            return None

        return until(through, seconds, what).answer


@contextlib.contextmanager
def site(kernel: str, network: str, count: int, *, disk: str = "", **settings: Any) -> Iterator[Site]:
    ips = [f"127.0.{network}.{number + 1}" for number in range(count)]
    with running_hosts(*ips, disk=disk) as hosts:

        def space_of(orgcode: str) -> Space:
            host = hosts[int(orgcode.rpartition("-")[2])]
            return Space(orgcode, ((host.ip, host.port),), host.tlscert)

        platform = Platform.objects.create(
            oemtype=f"own-{kernel}",
            name="Own machines",
            kind=PlatformKind.EVM,
            cloudtype=Cloudtype.ON_PREM,
            kernel=Kernel(kernel),
        )
        usual = {"image": named(kernel).tag, "archives": TARGET, "limits": Limits(memory=512 * 2**20)}
        chosen = Settings(kernel=kernel, period=1, **{**usual, **settings})
        book = book_of(platform)
        driver = EvmDriver(book=book, spaces=space_of, settings=chosen)
        try:
            yield Site(driver, hosts, book, space_of)
        finally:
            driver.close()
