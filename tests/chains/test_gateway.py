"""The gateway: who gets through, to which node, how often, what is written down, and what never comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from chains.gateway import calling
from chains.models import AccessGrant, Blockchain, GrantUse, Node, NodeState
from chains.services.gateway import pass_on, summarize_uses
from chains.services.grants import create_grant, revoke_grant
from console.models import AuditEntry, User
from console.services.tokens import create_token
from platforms.models import Kernel
from platforms.sandbox.anvil import find_anvil
from tests.chains.ledger_plane import Ledger
from tests.chains.node_plane import NodePlane, anvil
from tests.console.races import at_once
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, auditor
from unions.models import MemberRole, Membership

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
GRANTS = "/api/v1/access-grants"
SEND = "eth_sendRawTransaction"


@pytest.fixture
def node() -> Iterator[NodePlane]:
    made = NodePlane()
    calling._clients.cache_clear()
    yield made
    made.close()


@pytest.fixture
def ledger(chain: MakeChain, node: NodePlane, cast: Cast) -> Blockchain:
    """An Ethereum chain on which Alice's department has a node, and Bob's has one that nobody may reach."""
    row, _plane = chain()
    row.business_chain.platform.kernel = Kernel.ETHEREUM
    row.business_chain.platform.save()
    running = {"blockchain": row, "state": NodeState.RUNNING}
    Node.objects.create(**running, organization=cast.tax, external_id="n-1", endpoint=node.address)
    Node.objects.create(**running, organization=cast.housing, external_id="n-2", endpoint="http://127.0.0.1:9/rpc")
    return row


def granted(cast: Cast, ledger: Blockchain, **changes: Any) -> AccessGrant:
    about = {"actor": cast.alice, "blockchain": ledger.uid, "orgcode": cast.tax.orgcode, **changes}
    return create_grant(**about)


def call(method: str = "eth_blockNumber", number: Any = 1, *params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def ask(user: User | None, ledger: Blockchain, body: Any) -> Any:
    return client(user).post(f"/api/v1/gateway/{ledger.uid}/rpc", body, format="json")


def entries(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("number"))


# --- getting through --------------------------------------------------------------------------------------------------


def test_a_call_and_a_batch_get_through_under_the_callers_own_ids(
    cast: Cast, ledger: Blockchain, node: NodePlane
) -> None:
    grant = granted(cast, ledger)
    answer = ask(cast.alice, ledger, call(number="mine"))
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"jsonrpc": "2.0", "id": "mine", "result": "eth_blockNumber"}, "nothing else of the node's"
    assert answer["Cache-Control"] == "no-store"
    batch = ask(cast.alice, ledger, [call(), call("eth_chainId"), call("eth_getBalance", 7, "0x0", "latest")])
    assert [(each["id"], each["result"]) for each in batch.json()] == [
        (1, "eth_blockNumber"),
        (1, "eth_chainId"),
        (7, "eth_getBalance"),
    ]
    assert node.asked[0] == {"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []}
    assert node.keys == ["", "", ""][: len(node.asked)], "no credential for a node that nobody said needs one"
    use = GrantUse.objects.get()
    assert (use.grant, use.reads, use.sends) == (grant, 4, 0)
    assert client(cast.alice).get(f"{GRANTS}/{grant.pk}").json()["used_today"] == 4
    node.mood = "refuse"
    said = ask(cast.alice, ledger, call()).json()
    assert (said["id"], said["error"]["code"]) == (1, -32000)
    assert node.host not in json.dumps(said)


def test_sending_is_written_down_before_and_after_and_reading_once_a_day(
    cast: Cast, ledger: Blockchain, node: NodePlane
) -> None:
    grant = granted(cast, ledger, preset="read_and_send")
    ask(cast.alice, ledger, [call(SEND, 1, "0xf8"), call(number=2)])
    (before,), (after,) = entries("chains.gateway.sending"), entries("chains.gateway.sent")
    assert (before.actor, before.data["transactions"]) == (cast.alice, 1)
    assert after.data["answers"] == [{"hash": SEND}]
    node.mood = "refuse"
    ask(cast.alice, ledger, call(SEND, 1, "0xf8"))
    assert "nonce too low" in entries("chains.gateway.sent")[-1].data["answers"][0]["refused"]
    number = AuditEntry.objects.count()
    ask(cast.alice, ledger, call())
    assert AuditEntry.objects.count() == number, "reading is counted only"
    assert summarize_uses() == 0, "the day is not over"
    GrantUse.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert (summarize_uses(), summarize_uses()) == (1, 0)
    (sum_of_day,) = entries("chains.gateway.used")
    assert (sum_of_day.data["grant"], sum_of_day.data["reads"], sum_of_day.data["sends"]) == (grant.pk, 2, 2)


def test_the_nodes_credential_is_the_organizations_own_where_the_mapping_names_one(
    cast: Cast, ledger: Blockchain, node: NodePlane
) -> None:
    granted(cast, ledger)
    node.wanted_key = "Bearer SK-of-one-of-the-tax-bureau"
    cast.tax.space.sk = "SK-of-one-of-the-tax-bureau"
    cast.tax.space.save()
    refused = ask(cast.alice, ledger, call())
    assert_problem(refused, 502)
    assert node.host not in refused.content.decode()
    platform = ledger.business_chain.platform
    version = platform.version
    auth = {"platform": {"kind": "none"}, "node": {"kind": "bearer", "token": "sk"}}
    version.mapping = json.dumps({**json.loads(version.mapping), "auth": auth})
    version.save()
    platform.revision += 1
    platform.save()
    answer = ask(cast.alice, ledger, call())
    assert answer.json()["result"] == "eth_blockNumber", answer.content
    assert node.keys[-1] == node.wanted_key


@pytest.mark.skipif(find_anvil() is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL")
def test_a_signed_transaction_reaches_a_real_chain(cast: Cast, ledger: Blockchain) -> None:
    binary = find_anvil()
    assert binary is not None
    granted(cast, ledger, preset="read_and_send")
    with anvil(binary) as address:
        Node.objects.filter(organization=cast.tax).update(endpoint=address)
        assert ask(cast.alice, ledger, call("eth_chainId")).json()["result"] == hex(4242)
        sender, recipient = directly(address, "eth_accounts")
        wanted = {"from": sender, "to": recipient, "value": "0x7", "gas": "0x5208", "gasPrice": "0x77359400"}
        signed = directly(address, "eth_signTransaction", {**wanted, "nonce": "0x0"})
        sent = ask(cast.alice, ledger, call(SEND, 1, signed)).json()["result"]
        receipt = ask(cast.alice, ledger, call("eth_getTransactionReceipt", 2, sent)).json()["result"]
        assert (receipt["status"], receipt["from"], receipt["to"]) == ("0x1", sender, recipient)
        assert entries("chains.gateway.sent")[-1].data["answers"] == [{"hash": sent}]
        again = ask(cast.alice, ledger, call(SEND, 3, signed)).json()
        assert "nonce too low" in again["error"]["message"], "the chain itself judged it"
        refused = ask(cast.alice, ledger, call("anvil_setBalance", 1, "0x" + "1" * 40, "0x1"))
        assert_problem(refused, 403)
        assert "anvil_setBalance" in refused.json()["detail"]


def directly(address: str, method: str, *params: Any) -> Any:
    """What the node says to somebody beside it, as an application's wallet signs for itself."""
    said = httpx.post(address, json=call(method, 1, *params), trust_env=False).json()
    assert "error" not in said, said
    return said["result"]


# --- who does not get through -----------------------------------------------------------------------------------------


def test_nobody_gets_through_without_a_grant_of_their_own_organization(
    cast: Cast, ledger: Blockchain, node: NodePlane
) -> None:
    grant = granted(cast, ledger)
    assert_problem(ask(None, ledger, call()), 401)
    assert_problem(ask(cast.carol, ledger, call()), 404)
    assert_problem(ask(cast.dan, ledger, call()), 404)
    for person in (cast.bob, cast.root, auditor()):
        answer = ask(person, ledger, call())
        assert_problem(answer, 403)
        assert answer.json()["code"] == "no_grant"
    Membership.objects.create(user=cast.dan, organization=cast.tax, role=MemberRole.VIEWER)
    assert ask(cast.dan, ledger, call()).status_code == 200, "it is for every member"
    revoke_grant(actor=cast.alice, grant_id=grant.pk)
    only = granted(cast, ledger, username="alice")
    assert_problem(ask(cast.dan, ledger, call()), 403)
    assert ask(cast.alice, ledger, call()).status_code == 200
    AccessGrant.objects.filter(pk=only.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert_problem(ask(cast.alice, ledger, call()), 403)
    AccessGrant.objects.filter(pk=only.pk).update(expires_at=None)
    Membership.objects.filter(user=cast.alice).delete()
    assert_problem(ask(cast.alice, ledger, call()), 404)
    assert len(node.asked) == 2


def test_methods_that_are_not_granted_are_named_and_nothing_of_the_batch_goes_out(
    cast: Cast, ledger: Blockchain, node: NodePlane
) -> None:
    granted(cast, ledger)
    for method in (SEND, "eth_sendTransaction", "admin_peers", "personal_unlockAccount"):
        answer = ask(cast.alice, ledger, [call(), call(method, 2)])
        assert_problem(answer, 403)
        assert (answer.json()["code"], method in answer.json()["detail"]) == ("method_not_granted", True)
    assert (node.asked, GrantUse.objects.count()) == ([], 0)
    granted(cast, ledger, preset="custom", methods=[SEND])
    assert ask(cast.alice, ledger, call(SEND, 1, "0x")).status_code == 200, "another grant allows it"


def test_a_read_only_token_reads_and_does_not_send(cast: Cast, ledger: Blockchain) -> None:
    granted(cast, ledger, preset="read_and_send")
    _token, text = create_token(actor=cast.alice, name="reader", read_only=True)
    door = client()
    door.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    path = f"/api/v1/gateway/{ledger.uid}/rpc"
    assert door.post(path, call(), format="json").status_code == 200
    assert_problem(door.post(path, call(SEND, 1, "0x"), format="json"), 403)
    assert_problem(door.post(GRANTS, {}, format="json"), 403)


def test_rate_and_quota_end_with_how_long_to_wait(cast: Cast, ledger: Blockchain, node: NodePlane) -> None:
    grant = granted(cast, ledger, rate_per_minute=1_000_000, quota_per_day=3)
    assert ask(cast.alice, ledger, [call(), call()]).status_code == 200
    over = ask(cast.alice, ledger, [call(), call()])
    assert_problem(over, 429)
    assert over.json()["code"] == "quota_exceeded"
    assert 0 < int(over["Retry-After"]) <= 86_401
    assert GrantUse.objects.get().total == 2, "what was refused is not counted"
    AccessGrant.objects.filter(pk=grant.pk).update(
        rate_per_minute=2, quota_per_day=100, minute=timezone.now() + timedelta(days=1), in_minute=9
    )
    slow = ask(cast.alice, ledger, [call(), call(), call()])
    assert_problem(slow, 429)
    assert slow.json()["code"] == "rate_exceeded"
    assert 0 < int(slow["Retry-After"]) <= 61
    assert len(node.asked) == 1


def test_what_the_gateway_does_not_serve_is_said(cast: Cast, ledger: Blockchain, node: NodePlane) -> None:
    grant = granted(cast, ledger)
    Node.objects.filter(organization=cast.tax).update(state=NodeState.STOPPED)
    answer = ask(cast.alice, ledger, call())
    assert_problem(answer, 503)
    assert "Tax Bureau" in answer.json()["detail"]
    Node.objects.filter(organization=cast.tax).delete()
    Node.objects.filter(organization=cast.housing).update(endpoint=node.address)
    assert "no node of its own" in ask(cast.alice, ledger, call()).json()["detail"]
    assert (GrantUse.objects.count(), node.asked) == (0, []), "nor is anybody else's node asked"
    platform = ledger.business_chain.platform
    for kernel, words in ((Kernel.FABRIC, "Fabric"), ("", "does not say")):
        platform.kernel = kernel
        platform.save()
        refused = ask(cast.alice, ledger, call())
        assert_problem(refused, 409)
        assert (refused.json()["code"], words in refused.json()["detail"]) == ("not_supported", True)
        about = {"blockchain": ledger.uid, "orgcode": cast.tax.orgcode}
        assert client(cast.alice).post(GRANTS, about, format="json").json()["code"] == "not_supported"
    assert AccessGrant.objects.get() == grant


# --- nodes that misbehave ---------------------------------------------------------------------------------------------


def test_a_node_that_cannot_be_reached_leaves_it_to_the_next(cast: Cast, ledger: Blockchain, node: NodePlane) -> None:
    granted(cast, ledger, preset="read_and_send")
    dead = {"blockchain": ledger, "state": NodeState.RUNNING, "organization": cast.tax}
    later = timezone.now() + timedelta(minutes=1)
    Node.objects.create(**dead, external_id="n-3", endpoint="http://127.0.0.1:9", read_at=later)
    Node.objects.create(**dead, external_id="n-4", endpoint="enode://not-for-us", read_at=later)
    assert ask(cast.alice, ledger, call(SEND, 1, "0x")).status_code == 200
    assert len(node.asked) == 1
    Node.objects.filter(endpoint=node.address).delete()
    answer = ask(cast.alice, ledger, call())
    assert_problem(answer, 503)
    assert "127.0.0.1" not in answer.content.decode()


def test_answers_that_are_late_or_nonsense_or_too_large_end_in_words(
    cast: Cast, ledger: Blockchain, node: NodePlane, settings: Any
) -> None:
    settings.GATEWAY_CALL_SECONDS = 0.3
    calling._clients.cache_clear()
    granted(cast, ledger, preset="read_and_send")
    for mood in ("garbage", "shapeless", "huge"):
        node.mood = mood
        answer = ask(cast.alice, ledger, call())
        assert_problem(answer, 502)
        assert node.host not in answer.content.decode()
    node.mood = "hang"
    assert_problem(ask(cast.alice, ledger, call()), 503)
    unknown = ask(cast.alice, ledger, call(SEND, 1, "0x"))
    assert_problem(unknown, 503)
    assert unknown.json()["code"] == "outcome_unknown"
    assert entries("chains.gateway.sent")[-1].data["error"] == "outcome_unknown"
    assert node.host not in unknown.content.decode()
    calling._clients.cache_clear()


def test_more_than_a_process_may_pass_on_at_once_is_told_to_wait(
    cast: Cast, ledger: Blockchain, node: NodePlane, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GATEWAY_AT_ONCE = 1
    monkeypatch.setattr(calling, "QUEUE_SECONDS", 0.01)
    calling._places.cache_clear()
    granted(cast, ledger)
    with calling._place():
        answer = ask(cast.alice, ledger, call())
    assert_problem(answer, 503)
    assert (answer.json()["code"], answer["Retry-After"], node.asked) == ("busy", "2", [])
    assert ask(cast.alice, ledger, call()).status_code == 200, "the place was given back"
    calling._places.cache_clear()


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ("text", "body"),
        ([call()] * 51, "body"),
        ([call(), 5], "1.body"),
        ({**call(), "jsonrpc": "1.0"}, "jsonrpc"),
        ({**call(), "method": 5}, "method"),
        ({**call(), "method": "x" * 101}, "method"),
        ({**call(), "params": "x"}, "params"),
        ({**call(), "id": None}, "id"),
        ({**call(), "id": True}, "id"),
        ({**call(), "id": 1.5}, "id"),
        ({**call(), "more": 1}, "more"),
        ([call(), {"jsonrpc": "2.0", "id": 2, "method": ""}], "1.method"),
    ],
)
def test_a_request_of_the_wrong_shape_names_the_place(
    cast: Cast, ledger: Blockchain, node: NodePlane, body: Any, field: str
) -> None:
    assert_problem(ask(cast.alice, ledger, body), 422, field)
    assert node.asked == []


def test_a_request_that_is_too_large_is_refused(cast: Cast, ledger: Blockchain, settings: Any) -> None:
    settings.GATEWAY_MAX_REQUEST_KB = 1
    assert_problem(ask(cast.alice, ledger, call(SEND, 1, "0x" + "0" * 2000)), 413)


@pytest.mark.parametrize(
    ("changes", "status", "fields"),
    [
        ({"preset": "all"}, 422, ["preset"]),
        ({"preset": "custom"}, 422, ["methods"]),
        ({"preset": "custom", "methods": ["admin_peers"]}, 422, ["methods"]),
        ({"methods": ["eth_call"]}, 422, ["methods"]),
        ({"quota_per_day": 0}, 422, ["quota_per_day"]),
        ({"quota_per_day": 10**10}, 422, ["quota_per_day"]),
        ({"rate_per_minute": -1}, 422, ["rate_per_minute"]),
        ({"rate_per_minute": 10**7}, 422, ["rate_per_minute"]),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422, ["expires_at"]),
        ({"expires_at": "soon"}, 422, ["expires_at"]),
        ({"username": "bob"}, 422, ["username"]),
        ({"colour": "red"}, 422, ["colour"]),
        ({"blockchain": "none"}, 404, []),
        ({"orgcode": "none"}, 404, []),
    ],
)
def test_a_bad_grant_names_the_field_and_changes_nothing(
    cast: Cast, ledger: Blockchain, changes: dict[str, Any], status: int, fields: list[str]
) -> None:
    number = AuditEntry.objects.count()
    about = {"blockchain": ledger.uid, "orgcode": cast.tax.orgcode, **changes}
    assert_problem(client(cast.alice).post(GRANTS, about, format="json"), status, *fields)
    assert (AccessGrant.objects.count(), AuditEntry.objects.count()) == (0, number)


def test_grants_are_made_seen_and_revoked_by_those_who_may(cast: Cast, ledger: Blockchain) -> None:
    Membership.objects.create(user=cast.dan, organization=cast.tax, role=MemberRole.OPERATOR)
    about = {"blockchain": ledger.uid, "orgcode": cast.tax.orgcode, "username": "alice", "purpose": "Permit server"}
    for person, status in ((cast.bob, 403), (cast.carol, 404), (cast.dan, 403), (None, 401)):
        assert_problem(client(person).post(GRANTS, about, format="json"), status)
    other = {**about, "orgcode": cast.social.orgcode, "username": ""}
    assert_problem(client(cast.root).post(GRANTS, other, format="json"), 409)
    made = client(cast.alice).post(GRANTS, about, format="json")
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["orgcode"], body["username"], body["preset"], body["used_today"]) == (
        cast.tax.orgcode, "alice", "read", 0,
    )  # fmt: skip
    assert SEND not in body["methods"]
    (entry,) = entries("chains.grant.created")
    assert (entry.actor, entry.data["orgcode"], entry.data["username"]) == (cast.alice, cast.tax.orgcode, "alice")
    seen = {person: client(person).get(GRANTS).json()["count"] for person in (cast.alice, cast.bob, cast.dan)}
    assert seen == {cast.alice: 1, cast.bob: 0, cast.dan: 0}
    assert client(cast.root).get(GRANTS, {"blockchain": ledger.uid, "revoked": "false"}).json()["count"] == 1
    door = f"{GRANTS}/{body['id']}"
    assert_problem(client(cast.bob).get(door), 404)
    assert_problem(client(cast.bob).delete(door), 404)
    assert_problem(client(auditor()).delete(door), 403)
    assert client(cast.alice).delete(door).status_code == 204
    assert client(cast.alice).delete(door).status_code == 204
    assert len(entries("chains.grant.revoked")) == 1
    assert client(cast.alice).get(door).json()["revoked_at"] is not None


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_many_at_once_do_not_get_more_than_was_granted(
    cast: Cast, ledger: Blockchain, node: NodePlane, settings: Any
) -> None:
    settings.GATEWAY_AT_ONCE = 8
    calling._places.cache_clear()
    grant = granted(cast, ledger, quota_per_day=5, rate_per_minute=1_000)
    about = {"actor": cast.alice, "uid": ledger.uid, "body": call()}
    endings = at_once(*[lambda: pass_on(**about)] * 8)
    assert endings == {"done": 5, "quota_exceeded": 3}
    assert (len(node.asked), GrantUse.objects.get(grant=grant).reads) == (5, 5)
    calling._places.cache_clear()
