"""One union's nodes are brought to the image of the settings, and no others: by service, REST and page."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from console.errors import Conflict, Missing, NotAllowed
from console.models import Flow, User
from platforms.drivers.evm.book import Chain, Network
from platforms.hosts.spaces import Space
from platforms.models import Platform
from platforms.services.native import book_of
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, active_union, departments
from unions.models import Union
from unions.services.upgrades import upgrade_nodes_of_union

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


@pytest.fixture
def union(cast: Cast) -> Union:
    """On a native platform, with a node of an older image; another union there has one, too."""
    own: dict[str, Any] = {"oemtype": "own", "name": "Own machines", "kind": "evm", "kernel": "ethereum"}
    platform = Platform.objects.create(**own, state="official", cloudtype="on_prem")
    made = [active_union(cast, name=name) for name in ("Permits", "Loans")]
    for number, each in enumerate(made):
        Union.objects.filter(pk=each.pk).update(platform=platform)
        _node(platform, each.network_id, f"chain-{number}")
    return Union.objects.get(name="Permits")


def _node(platform: Platform, network_id: str, chain_id: str) -> None:
    book = book_of(platform)
    book.open_network(Network(network_id, network_id, {"org-1": "Tax"}))
    chain = book.open_chain(Chain(chain_id, network_id, chain_id, "clique", 7, 2))
    node = book.open_node(chain, Space("org-1", ((f"10.0.0.{chain_id[-1]}", 2376),), ""), image="geth:old")
    book.change_node(node.node_id, built=True)


def test_only_its_own_nodes_are_upgraded(cast: Cast, union: Union) -> None:
    flow = upgrade_nodes_of_union(actor=cast.root, unionid=union.unionid)
    assert [step.name for step in flow.steps.all()] == ["node:chain-0-org-1"]
    assert "Permits" in flow.title_text
    with pytest.raises(Conflict, match="already"):
        upgrade_nodes_of_union(actor=cast.root, unionid=Union.objects.get(name="Loans").unionid)


def test_a_union_that_has_no_network_yet_has_no_nodes(cast: Cast, union: Union) -> None:
    Union.objects.filter(pk=union.pk).update(network_id="")
    with pytest.raises(Conflict):
        upgrade_nodes_of_union(actor=cast.root, unionid=union.unionid)
    assert not Flow.objects.filter(kind="platforms.upgrade").exists(), "not the nodes of others"


def test_who_may_not_starts_nothing(cast: Cast, union: Union) -> None:
    for person in (cast.alice, cast.carol, cast.dan):
        with pytest.raises(NotAllowed):
            upgrade_nodes_of_union(actor=person, unionid=union.unionid)
    with pytest.raises(Missing):
        upgrade_nodes_of_union(actor=cast.root, unionid="union-nobody")
    path = f"/api/v1/unions/{union.unionid}/upgrade-nodes"
    assert_problem(client(cast.alice).post(path), 403)
    assert_problem(client().post(path), 401)
    assert not Flow.objects.filter(kind="platforms.upgrade").exists()


def test_by_rest_and_where_all_run_it_nothing_is_promised(cast: Cast, union: Union, settings_image: str) -> None:
    path = f"/api/v1/unions/{union.unionid}/upgrade-nodes"
    answer = client(cast.root).post(path)
    assert (answer.status_code, answer.json()["unionid"]) == (202, union.unionid)
    Flow.objects.filter(pk=answer.json()["flow"]).delete()
    book_of(union.platform).change_node("chain-0-org-1", image=settings_image)
    assert_problem(client(cast.root).post(path), 409)


def test_the_page_says_it_to_whoever_may(cast: Cast, union: Union, client: Client, settings_image: str) -> None:
    page, words = f"/unions/{union.unionid}", "1 node runs another image."

    def seen_by(user: User) -> bool:
        client.force_login(user)
        return words in client.get(page).content.decode()

    assert seen_by(cast.root)
    assert not seen_by(cast.alice)
    client.force_login(cast.root)
    assert client.post(f"{page}/upgrade-nodes").headers["Location"] == page
    assert Flow.objects.filter(kind="platforms.upgrade").count() == 1
    book_of(union.platform).change_node("chain-0-org-1", image=settings_image)
    assert not seen_by(cast.root)


@pytest.fixture
def settings_image() -> str:
    return str(settings.EVM_IMAGES["ethereum"])
