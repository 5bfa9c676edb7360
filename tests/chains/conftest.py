"""What the tests of this floor have in common: a plane with ledgers, the platform it is registered as, chains."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chains.models import Blockchain, BusinessChain
from chains.observing.observer import Observer
from console.models import User
from platforms.models import Platform, PlatformVersion
from tests.chains import plane_files
from tests.chains.ledger_plane import Ledger, Plane
from tests.unions.cast import Cast, active_union, departments
from tests.unions.conftest import platform, root  # noqa: F401 - fixtures


@pytest.fixture
def plane() -> Iterator[Plane]:
    made = Plane()
    yield made
    made.close()


@pytest.fixture
def spoken_to(platform: Platform, plane: Plane) -> Callable[..., Platform]:  # noqa: F811
    """The platform, speaking to the plane by its mapping; interfaces may be replaced or left out."""

    def speak(**instead: dict | None) -> Platform:
        return speak_to(platform, plane, **instead)

    return speak


def speak_to(row: Platform, plane: Plane, **instead: dict | None) -> Platform:
    number = row.versions.count() + 1
    row.version = PlatformVersion.objects.create(
        platform=row, number=number, api_file=plane_files.api_file(), mapping=plane_files.mapping(**instead)
    )
    row.base_url, row.revision = plane.address, row.revision + 1
    row.capabilities = {
        **row.capabilities,
        **{name: {"supported": body is not None, "reason": ""} for name, body in instead.items()},
    }
    row.save()
    return row


@pytest.fixture
def cast(spoken_to: Callable[..., Platform], root: User) -> Cast:  # noqa: F811
    return departments(spoken_to(), root)


@pytest.fixture
def chain(cast: Cast, plane: Plane) -> Callable[..., tuple[Blockchain, Ledger]]:
    """A chain of Alice's and Bob's departments: its row, and its ledger on the plane."""

    def make(name: str = "Permits", *, on: Plane = plane, at: Platform | None = None) -> tuple[Blockchain, Ledger]:
        union = active_union(cast, name=name)
        if at is not None:
            union.platform = at
            union.save()
        ledger = on.ledger(name, union.network_id)
        ledger.members = [cast.tax.orgcode, cast.housing.orgcode]
        business_chain = BusinessChain.objects.create(
            uid=f"bc-{union.pk}", union=union, name=name, platform=union.platform, creator=cast.tax
        )
        business_chain.organizations.set([cast.tax, cast.housing])
        union.uid = business_chain.uid
        union.save()
        row = Blockchain.objects.create(
            uid=f"ledger-{union.pk}", business_chain=business_chain, external_id=ledger.id, name=name
        )
        row.organizations.set([cast.tax, cast.housing])
        return row, ledger

    return make


@pytest.fixture
def observe() -> Callable[..., int]:
    """Make everything due and read it, as the periodic task does."""
    observer = Observer()

    def read(*rows: Blockchain, patience: float = 5.0) -> int:
        Blockchain.objects.filter(pk__in=[row.pk for row in rows]).update(next_read_at=None)
        written = observer.tick(patience=patience)
        for row in rows:
            row.refresh_from_db()
        return written

    return read
