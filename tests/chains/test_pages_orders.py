"""Ordering and moving business chains in the browser: what the pages ask, draw, refuse and lead to."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chains.models import Blockchain, BusinessChain
from console.models import User
from platforms.models import Platform
from tests.chains.test_business_chains import built, union, wish  # noqa: F401 - a fixture among them
from tests.chains.test_flows import agreed
from tests.chains.test_pages import browser, page, words
from tests.unions.cast import Cast, registered
from tests.unions.cast import cloud as cloud_department
from unions.models import Organization, Proposal, Union

pytestmark = pytest.mark.django_db(transaction=True)


def filled(cast: Cast, of: Union, **changes: object) -> dict[str, object]:
    return {
        "name": "Land register",
        "ledgers": "Parcels\nMortgages",
        "unionid": of.unionid,
        "creatororg": cast.tax.orgcode,
        "orgs": [cast.tax.orgcode, cast.housing.orgcode],
        "trust": "weak",
        "priority": "cost",
        "createmode": "",
        "nodes": "",
        "base": "",
        "comment": "",
        **changes,
    }


def test_the_wizard_proposes_a_mode_draws_the_plan_and_asks(cast: Cast, union: Union) -> None:  # noqa: F811
    start = page(cast.alice, f"/chains/create?union={union.unionid}")
    seen = words(start)
    assert "Several chains that share nodes" in seen
    assert "Chains share nodes, so a further chain costs no further node." in seen
    assert "Node 1, running" in seen
    assert "Tax Bureau" in seen
    assert "Housing Office" in seen
    assert "Social Security" not in seen, "who is not in the union cannot take part"

    before = (Proposal.objects.count(), BusinessChain.objects.count())
    plan = browser(cast.alice).get("/chains/create/plan", filled(cast, union, priority="isolation"))
    seen = words(plan.content.decode())
    assert plan.status_code == 200
    assert "Several chains that share no node" in seen
    assert seen.count("Node 1, new") == 2
    assert seen.count("Node 2, new") == 2
    assert "hx-swap-oob" in plan.content.decode(), "who can take part comes along"
    private = words(
        browser(cast.alice).get("/chains/create/plan", filled(cast, union, createmode="private")).content.decode()
    )
    assert "A private chain is one chain; for several choose another mode." in private
    assert (Proposal.objects.count(), BusinessChain.objects.count()) == before

    answer = browser(cast.alice).post("/chains/create", filled(cast, union))
    assert answer.status_code == 302
    proposal = Proposal.objects.get(kind="chain_create")
    assert answer["Location"] == f"/proposals/{proposal.pk}"
    assert "wants to build the chain" in words(page(cast.bob, f"/proposals/{proposal.pk}"))
    agreed(cast, proposal)
    assert Blockchain.objects.filter(business_chain__name="Land register").count() == 2
    progress = words(page(cast.alice, f"/proposals/{proposal.pk}"))
    assert "Build the chain Mortgages on nodes that run already" in progress


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "Permits"}, "There is a chain of this name already"),
        ({"orgs": ["org-no"]}, "is not one of the available choices"),
        ({"nodes": "99"}, "less than or equal to 10"),
        ({"ledgers": "a\na"}, "Two blockchains are called"),
        ({"createmode": "private"}, "A private chain is one chain"),
    ],
)
def test_what_does_not_fit_comes_back_in_words(
    cast: Cast,
    union: Union,  # noqa: F811
    changes: dict[str, object],
    text: str,
) -> None:
    answer = browser(cast.alice).post("/chains/create", filled(cast, union, **changes))
    assert answer.status_code == 422
    assert text in words(answer.content.decode())
    assert not Proposal.objects.filter(kind="chain_create").exists()


def test_nobody_without_an_organization_orders_a_chain(cast: Cast) -> None:
    assert "order-plan" not in page(cast.dan, "/chains/create")
    assert browser(cast.dan).post("/chains/create", {"name": "x"}).status_code in (403, 422)
    assert not Proposal.objects.filter(kind="chain_create").exists()


def test_the_buttons_of_a_chain_lead_to_what_they_say(cast: Cast, union: Union) -> None:  # noqa: F811
    chain = built(cast, blockchains=[{"name": "Parcels"}, {"name": "Mortgages"}], infraspec={"base": "new"})
    row = chain.blockchains.get(name="Parcels")
    html = page(cast.bob, f"/chains/{row.uid}")
    assert "This business chain consists of: Parcels , Mortgages" in re.sub(r"\s+", " ", words(html))
    assert f"/chains/{row.uid}/scale" in html
    assert f"/business-chains/{chain.uid}/quit" in html
    assert "You do not speak for Tax Bureau." in html, "the reason at the button that is not for Bob"

    assert "(1 now)" in page(cast.bob, f"/chains/{row.uid}/scale")
    answer = browser(cast.bob).post(f"/chains/{row.uid}/scale", {"orgcode": cast.housing.orgcode, "nodes": 2})
    agreed(cast, Proposal.objects.get(kind="chain_scale"))
    assert answer.status_code == 302
    assert row.nodes.filter(organization=cast.housing).count() == 2
    again = browser(cast.bob).post(f"/chains/{row.uid}/scale", {"orgcode": cast.housing.orgcode, "nodes": 2})
    assert "It has so many nodes already." in words(again.content.decode())

    quit_page = f"/business-chains/{chain.uid}/quit"
    wrong = browser(cast.bob).post(quit_page, {"orgcode": cast.housing.orgcode, "confirmation": "Permits"})
    assert wrong.status_code == 422
    right = browser(cast.bob).post(quit_page, {"orgcode": cast.housing.orgcode, "confirmation": "Land register"})
    assert right.status_code == 302
    agreed(cast, Proposal.objects.get(kind="chain_quit"))
    assert browser(cast.bob).get(f"/chains/{row.uid}").status_code == 404

    # Bob is still in the union: its page tells him of the chain, and he may ask to come back.
    html = page(cast.bob, f"/unions/{union.unionid}")
    assert f"/business-chains/{chain.uid}/join" in html
    joined = browser(cast.bob).post(f"/business-chains/{chain.uid}/join", {"orgcode": cast.housing.orgcode})
    assert joined.status_code == 302
    agreed(cast, Proposal.objects.get(kind="chain_join"))

    delete_page = f"/business-chains/{chain.uid}/delete"
    assert browser(cast.bob).get(delete_page).status_code == 403
    assert browser(cast.carol).get(delete_page).status_code == 404
    assert "Parcels" in words(page(cast.alice, delete_page))
    gone = browser(cast.alice).post(delete_page, {"confirmation": "Land register"})
    assert gone.status_code == 302
    agreed(cast, Proposal.objects.get(kind="chain_delete"))
    assert "The chain was deleted" in page(cast.alice, f"/chains/{row.uid}")


def test_what_the_platform_cannot_do_is_a_button_with_a_reason(
    cast: Cast,
    union: Union,  # noqa: F811
    spoken_to: Callable[..., Platform],
) -> None:
    row = Blockchain.objects.get()
    spoken_to(add_node=None, remove_node=None, quit_chain=None, delete_chain=None)
    html = page(cast.alice, f"/chains/{row.uid}")
    assert html.count("The platform does not offer this operation.") >= 3
    for path in (f"chains/{row.uid}/scale", f"business-chains/{row.business_chain.uid}/delete"):
        assert f'href="/{path}"' not in html


def test_the_page_costs_the_same_for_how_many_somebody_speaks(cast: Cast, union: Union) -> None:  # noqa: F811
    row = Blockchain.objects.get()

    def cost(user: User, path: str) -> int:
        client = browser(user)
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    paths = [f"/chains/{row.uid}", f"/chains/create?union={union.unionid}", f"/unions/{union.unionid}"]
    registered(cast.root, "user3", cloud_department("Department 3", "t-3"))
    before = [cost(cast.root, path) for path in paths]
    for number in (4, 5):
        registered(cast.root, f"user{number}", cloud_department(f"Department {number}", f"t-{number}"))
    assert Organization.objects.count() == 6
    assert [cost(cast.root, path) for path in paths] == before
