"""Differences by API and page; no platform is asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.models import Flow, User
from platforms.models import Platform
from tests.rest import assert_problem
from tests.rest import client as api
from tests.unions.cast import Cast, active_union, departments
from unions.models import Drift, DriftKind, Union

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/drifts"


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def found(cast: Cast, union: Union | None, kind: str = "network_missing", **more: Any) -> Drift:
    return Drift.objects.create(
        platform=cast.platform, union=union, kind=kind, key=f"{kind}-1", name="Building permits", **more
    )


def test_by_api(cast: Cast) -> None:
    union = active_union(cast)
    drift, other = found(cast, union, ours={"network_id": "n-1"}), found(cast, None, "network_unknown")
    root, alice, carol = api(cast.root), api(cast.alice), api(cast.carol)
    assert [row["id"] for row in alice.get(URL).json()["results"]] == [str(drift.pk)]
    assert carol.get(URL).json()["count"] == 0
    assert carol.get(f"{URL}/{drift.pk}").status_code == 404
    for query, number in (
        ("", 2),
        ("?kind=network_unknown", 1),
        (f"?unionid={union.unionid}", 1),
        ("?oemtype=testbed&state=open", 2),
        ("?state=ignored", 0),
    ):
        assert root.get(f"{URL}{query}").json()["count"] == number, query
    assert_problem(root.get(f"{URL}?kind=odd"), 422, "kind")
    shown = root.get(f"{URL}/{drift.pk}").json()
    assert (shown["kind"], shown["state"], shown["unionid"]) == ("network_missing", "open", union.unionid)
    assert [(way["name"], way["asks"], way["allowed"]) for way in shown["ways"]] == [("write_off", True, True)]
    assert "not offered" in shown["notes"][0]
    unknown = root.get(f"{URL}/{other.pk}").json()["ways"]
    assert [(way["name"], way["page"], way["allowed"]) for way in unknown] == [
        ("take_over", "/platforms/testbed/take-over", True),
        ("reclaim", "", False),
    ]
    assert "not known" in unknown[1]["reason"]
    assert_problem(root.post(f"{URL}/{other.pk}/mend", {"way": "take_over"}, format="json"), 422, "way")

    mend = f"{URL}/{drift.pk}/mend"
    assert_problem(root.post(mend, {"way": "magic"}, format="json"), 422, "way")
    assert_problem(root.post(mend, {}, format="json"), 422, "way")
    assert_problem(root.post(f"{URL}/{drift.pk}/ignore", {"reason": ""}, format="json"), 422, "reason")
    assert_problem(alice.post(f"{URL}/{drift.pk}/ignore", {"reason": "x"}, format="json"), 403)
    ignored = root.post(f"{URL}/{drift.pk}/ignore", {"reason": "known"}, format="json")
    assert (ignored.status_code, ignored.json()["state"], ignored.json()["reason"]) == (200, "ignored", "known")
    assert_problem(root.post(mend, {"way": "write_off"}, format="json"), 409)
    assert root.post(f"{URL}/{drift.pk}/reopen").json()["state"] == "open"

    headers = {"HTTP_IDEMPOTENCY_KEY": "mend-1"}
    first = alice.post(mend, {"way": "write_off"}, format="json", **headers)
    again = alice.post(mend, {"way": "write_off"}, format="json", **headers)
    assert (first.status_code, again.status_code, first.json()) == (202, 202, again.json())
    assert first["Location"] == f"/api/v1/flows/{first.json()['flow']}"
    assert Flow.objects.filter(kind="unions.mend").count() == 1
    assert root.get(f"{URL}/{drift.pk}").json()["state"] == "mending"
    assert root.get(f"/api/v1/proposals/{first.json()['proposal']}").json()["kind"] == "mend"


def test_a_comparison_is_started_by_api(cast: Cast) -> None:
    union = active_union(cast)
    started = api(cast.root).post("/api/v1/platforms/testbed/reconcile", HTTP_IDEMPOTENCY_KEY="r-1")
    assert started.status_code == 202
    assert Flow.objects.get(pk=started.json()["flow"]).kind == "unions.reconcile"
    assert api(cast.root).post("/api/v1/platforms/testbed/reconcile", HTTP_IDEMPOTENCY_KEY="r-1").status_code == 202
    assert_problem(api(cast.root).post("/api/v1/platforms/testbed/reconcile"), 409)
    assert_problem(api(cast.alice).post("/api/v1/platforms/testbed/reconcile"), 403)
    assert_problem(api(cast.root).post("/api/v1/platforms/nowhere/reconcile"), 404)
    assert api(cast.alice).post(f"/api/v1/unions/{union.unionid}/reconcile").status_code == 202
    assert_problem(api(cast.carol).post(f"/api/v1/unions/{union.unionid}/reconcile"), 403)
    assert Flow.objects.filter(kind="unions.reconcile").count() == 2


def test_by_page(cast: Cast, client: Client, django_assert_max_num_queries: Any) -> None:
    union = active_union(cast)
    client.force_login(cast.root)
    assert "Everything is as recorded" in client.get("/drifts").content.decode()
    drift = found(cast, union, ours={"network_id": "n-1"})
    listed = client.get("/drifts").content.decode()
    assert ("The network is gone from the platform" in listed, "Building permits" in listed) == (True, True)
    assert "No difference matches" in client.get("/drifts?kind=node_missing").content.decode()
    for place in (f"/unions/{union.unionid}", "/platforms/testbed"):
        seen = client.get(place).content.decode()
        assert ("Compare now" in seen, f"/drifts/{drift.pk}" in seen) == (True, True)
    page = f"/drifts/{drift.pk}"
    shown = client.get(page).content.decode()
    for text in ("Write the union off", "Propose", "data-confirm", "n-1", "is not offered"):
        assert text in shown
    bare = client.post(f"{page}/ignore", {"reason": ""})
    assert bare.status_code == 422
    client.post(f"{page}/ignore", {"reason": "known to the vendor"})
    assert "known to the vendor" in client.get(page).content.decode()
    assert client.get(f"{page}/ignore").status_code == 409
    client.post(f"{page}/reopen")
    client.post(f"{page}/mend", {"way": "write_off"})
    drift.refresh_from_db()
    assert drift.proposal is not None
    assert "It is being mended" in client.get(page).content.decode()
    asked = client.get(f"/proposals/{drift.proposal.pk}").content.decode()
    assert "The way: Write the union off" in asked
    answer = client.post("/platforms/testbed/compare", follow=True)
    assert "Compare Testbed with its platform" in answer.content.decode()
    client.force_login(cast.alice)
    assert "Write the union off" in client.get("/inbox").content.decode()
    assert client.post(f"/unions/{union.unionid}/compare").status_code == 302
    client.force_login(cast.carol)
    assert client.get(page).status_code == 404
    client.force_login(cast.root)
    for number in range(30):
        kind = DriftKind.NODE_MISSING
        Drift.objects.create(platform=cast.platform, union=union, kind=kind, key=str(number), name="n")
    with django_assert_max_num_queries(14):
        client.get("/drifts")
    assert "page=2" in client.get("/drifts").content.decode()
