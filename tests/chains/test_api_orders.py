"""Business chains by REST: planned, proposed, moved; what is answered, what bad input gets, what a repeat gets."""

from __future__ import annotations

from typing import Any

import pytest

from chains.models import Blockchain
from console.models import AuditEntry, Flow, FlowState
from tests.chains.test_business_chains import built, union, wish  # noqa: F401 - a fixture among them
from tests.chains.test_flows import agreed
from tests.rest import assert_problem, client
from tests.unions.cast import Cast
from unions.models import Proposal, Union

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/api/v1"


def post(user: Any, path: str, body: Any = None, **headers: str) -> Any:
    return client(user).post(f"{BASE}/{path}", body, format="json", headers=headers)


def test_a_chains_life(cast: Cast, union: Union) -> None:  # noqa: F811
    own = Blockchain.objects.get()
    body = wish(cast, blockchains=[{"name": "Parcels"}, {"name": "Mortgages"}])
    answer = post(cast.alice, "chains/plan", body)
    assert answer.status_code == 200, answer.content
    plan = answer.json()
    assert [each["new_nodes"] for each in plan["spaces"]] == [0, 0]
    assert [each["name"] for each in plan["blockchains"]] == ["Parcels", "Mortgages"]
    assert {each["externalid"] for each in plan["nodes"]} == set(own.nodes.values_list("external_id", flat=True))
    assert plan["nodes"][0]["chains"] == [0, 1]
    assert plan["network_id"] == union.network_id
    assert [step["operation"] for step in plan["steps"]][:2] == ["create_subchain", "join_subchain"]
    assert len(plan["reasons"]) == 3
    assert not Proposal.objects.filter(kind="chain_create").exists()

    keyed = {"Idempotency-Key": "order-1"}
    answer = post(cast.alice, "chains", {**body, "comment": "please"}, **keyed)
    assert answer.status_code == 202, answer.content
    promised = answer.json()
    assert promised["unionid"] == union.unionid
    assert answer["Location"] == f"{BASE}/flows/{promised['flow']}"
    assert post(cast.alice, "chains", {**body, "comment": "please"}, **keyed).json() == promised
    assert_problem(post(cast.alice, "chains", {**body, "name": "Other"}, **keyed), 422)
    agreed(cast, Proposal.objects.get(pk=promised["proposal"]))
    shown = client(cast.bob).get(f"{BASE}/chains/{promised['chain']}").json()
    assert (shown["createmode"], len(shown["blockchain"]), shown["unionid"]) == ("multi_subchain", 2, union.unionid)

    row = shown["blockchain"][0]["id"]
    scaled = post(cast.bob, f"blockchains/{row}/scale", {"orgcode": cast.housing.orgcode, "nodes": 2})
    assert scaled.status_code == 202
    assert agreed(cast, Proposal.objects.get(pk=scaled.json()["proposal"])).state == FlowState.DONE
    nodes = client(cast.bob).get(f"{BASE}/nodes", {"blockchain": row}).json()["results"]
    assert [each["orgcode"] for each in nodes].count(cast.housing.orgcode) == 2

    left = post(cast.bob, f"chains/{promised['chain']}/quit", {"orgcode": cast.housing.orgcode})
    assert left.status_code == 202
    agreed(cast, Proposal.objects.get(pk=left.json()["proposal"]))
    back = post(cast.bob, f"chains/{promised['chain']}/join", {"orgcode": cast.housing.orgcode})
    assert back.status_code == 202
    assert agreed(cast, Proposal.objects.get(pk=back.json()["proposal"])).state == FlowState.DONE
    gone = client(cast.alice).delete(f"{BASE}/chains/{promised['chain']}")
    assert gone.status_code == 202
    assert agreed(cast, Proposal.objects.get(pk=gone.json()["proposal"])).state == FlowState.DONE
    assert client(cast.alice).get(f"{BASE}/chains/{promised['chain']}").json()["state"] == "deleted"


def test_what_does_not_fit_is_named_and_nothing_is_written(cast: Cast, union: Union) -> None:  # noqa: F811
    chain = built(cast)
    row = chain.blockchains.get()
    counts = (Proposal.objects.count(), Flow.objects.count(), AuditEntry.objects.count())
    for change, fields in (
        ({"name": None}, ["name"]),
        ({"createmode": "shared"}, ["createmode"]),
        ({"orgs": "org"}, ["orgs"]),
        ({"blockchains": [{"nam": "x"}]}, ["blockchains.0.nam", "blockchains.0.name"]),
        ({"blockchains": [{"name": f"c{n}"} for n in range(21)]}, ["blockchains"]),
        ({"infraspec": []}, ["infraspec"]),
        ({"infraspec": {"nodes": -1}}, ["infraspec"]),
        ({"colour": "red"}, ["colour"]),
    ):
        for path in ("chains", "chains/plan"):
            assert_problem(post(cast.alice, path, wish(cast, **{"name": "Other", **change})), 422, *fields)
    for path, body, status, fields in (
        (f"blockchains/{row.uid}/scale", {"orgcode": cast.tax.orgcode, "nodes": 0}, 422, ["nodes"]),
        (f"blockchains/{row.uid}/scale", {"orgcode": cast.tax.orgcode, "nodes": 1}, 409, ["nodes"]),
        (f"blockchains/{row.uid}/scale", {"orgcode": "org-no", "nodes": 2}, 422, ["orgcode"]),
        (f"blockchains/{row.uid}/scale", {"orgcode": cast.housing.orgcode, "nodes": 2}, 403, []),
        ("blockchains/chain-no/scale", {"orgcode": cast.tax.orgcode, "nodes": 2}, 404, []),
        (f"chains/{chain.uid}/join", {"orgcode": cast.tax.orgcode}, 409, []),
        (f"chains/{chain.uid}/quit", {}, 422, ["orgcode"]),
        ("chains/bc-no/quit", {"orgcode": cast.tax.orgcode}, 404, []),
    ):
        assert_problem(post(cast.alice, path, body), status, *fields)
    assert_problem(client(cast.bob).delete(f"{BASE}/chains/{chain.uid}"), 403)
    assert_problem(client(cast.carol).delete(f"{BASE}/chains/{chain.uid}"), 404)
    assert_problem(post(None, "chains/plan", wish(cast)), 401)
    assert (Proposal.objects.count(), Flow.objects.count(), AuditEntry.objects.count()) == counts
