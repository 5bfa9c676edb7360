"""Pages of contracts: what is shown to whom, the two halves of deploying, confirmations, and forms made of an ABI."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from chains.models import Blockchain, Contract, ContractState
from console.models import Flow, User
from tests.chains.test_contracts import ARTIFACT, ledger, prepared, running  # noqa: F401 - a fixture among them
from tests.unions.cast import Cast
from unions.models import Proposal

pytestmark = pytest.mark.django_db(transaction=True)
SOURCE = """pragma solidity ^0.8.0;
contract Till { uint8 public sum; constructor(uint8 first) { sum = first; } }
contract Other { }
"""


@pytest.fixture
def browser() -> Callable[[User], Client]:
    def made(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return made


def artifact() -> SimpleUploadedFile:
    return SimpleUploadedFile("Till.json", json.dumps(ARTIFACT).encode())


def test_an_artifact_is_looked_at_then_deployed(
    cast: Cast,
    ledger: Blockchain,  # noqa: F811
    browser: Callable[[User], Client],
) -> None:
    client, url = browser(cast.alice), reverse("chains:contract-create")
    assert client.get(reverse("chains:contract-list")).status_code == 200
    assert b'name="do" value="compile"' in client.get(url).content
    wish = {"place": f"{ledger.uid} {cast.tax.orgcode}", "name": "Till", "way": "new_version"}
    shown = client.post(url, {**wish, "uploads": artifact(), "do": "compile"})
    assert shown.status_code == 200
    assert b'name="argument_0"' in shown.content
    assert not Contract.objects.exists(), "nothing is written by looking"
    carried = shown.context["form"].kept
    wrong = client.post(url, {**wish, "carried": carried, "argument_0": "256", "do": "deploy"})
    assert wrong.status_code == 422
    assert "0 … 255" in wrong.context["form"].errors["argument_0"][0]
    sent = client.post(url, {**wish, "carried": carried, "argument_0": "5", "do": "deploy"})
    proposal = Proposal.objects.get(kind="contract_deploy")
    assert sent["Location"] == reverse("unions:proposal-detail", args=[proposal.pk])
    contract = Contract.objects.get()
    assert (contract.state, contract.versions.get().arguments) == (ContractState.CREATING, ["5"])
    page = browser(cast.bob).get(reverse("chains:contract-detail", args=[contract.uid]))
    assert page.status_code == 200
    assert "is being carried out" in page.content.decode()
    assert browser(cast.carol).get(reverse("chains:contract-detail", args=[contract.uid])).status_code == 404


def test_sources_with_several_contracts_ask_which_and_errors_have_their_place(
    cast: Cast,
    ledger: Blockchain,  # noqa: F811
    browser: Callable[[User], Client],
) -> None:
    client, url = browser(cast.alice), reverse("chains:contract-create")
    wish = {"place": f"{ledger.uid} {cast.tax.orgcode}", "name": "Till", "way": "new_version", "do": "compile"}
    several = client.post(url, {**wish, "source": SOURCE})
    assert several.status_code == 422
    assert several.context["form"].choices == ["Contract.sol:Other", "Contract.sol:Till"]
    wrong = client.post(url, {**wish, "source": "pragma solidity ^0.8.0;\ncontract A { uint8 x = 300; }"})
    assert wrong.context["form"].errors["source"][0].startswith("Contract.sol:2:24: TypeError")
    kept = client.post(url, {**wish, "source": SOURCE, "entry": "Till", "argument_0": "5", "do": "prepare"})
    contract = Contract.objects.get()
    assert kept["Location"] == reverse("chains:contract-detail", args=[contract.uid])
    assert contract.state == ContractState.PREPARED
    shown = client.get(kept["Location"]).content.decode()
    assert "Contract.sol:Till" in shown
    assert reverse("chains:contract-deploy", args=[contract.uid]) in shown


def test_one_contract_its_functions_and_what_is_confirmed(
    cast: Cast,
    ledger: Blockchain,  # noqa: F811
    browser: Callable[[User], Client],
) -> None:
    contract = running(cast, ledger)
    client = browser(cast.alice)
    page = client.get(reverse("chains:contract-detail", args=[contract.uid])).content.decode()
    assert "An upgrade is a new contract at a new address" in page
    send = reverse("chains:contract-function", args=[contract.uid, "add(uint8)"])
    assert send in page
    assert client.get(reverse("chains:contract-function", args=[contract.uid, "no()"])).status_code == 404
    assert client.post(send, {"orgcode": cast.tax.orgcode, "argument_0": "x"}).status_code == 422
    sent = client.post(send, {"orgcode": cast.tax.orgcode, "argument_0": "7"})
    flow = Flow.objects.get(kind="chains.contract_send")
    assert sent["Location"] == reverse("console:flow-detail", args=[flow.pk])
    assert flow.arguments["data"].endswith(f"{7:064x}")
    abi = client.get(reverse("chains:contract-abi", args=[contract.uid, 1]))
    assert json.loads(abi.content) == ARTIFACT["abi"]
    stop = client.get(reverse("chains:contract-stop", args=[contract.uid])).content.decode()
    assert "past the console can still call it" in stop
    assert browser(cast.bob).get(reverse("chains:contract-stop", args=[contract.uid])).status_code == 403
    delete = reverse("chains:contract-delete", args=[contract.uid])
    assert client.post(delete, {"confirmation": "till"}).status_code == 422
    assert client.post(delete, {"confirmation": "Till"}).status_code == 302
    assert Proposal.objects.filter(kind="contract_delete").exists()


def test_the_chains_page_shows_them_with_the_rules_and_search_finds_them(
    cast: Cast,
    ledger: Blockchain,  # noqa: F811
    browser: Callable[[User], Client],
) -> None:
    contract = running(cast, ledger)
    part = browser(cast.bob).get(reverse("chains:chain-contracts", args=[ledger.uid])).content.decode()
    assert contract.name in part
    assert "Nothing about contracts needs a vote" in part
    rule = reverse("chains:contract-rule", args=[ledger.uid])
    asked = browser(cast.bob).post(
        rule, {"orgcode": cast.housing.orgcode, "votes": ["deploy"], "blocking_severity": "high"}
    )
    assert asked["Location"] == reverse("unions:proposal-detail", args=[Proposal.objects.get(kind="contract_rule").pk])
    hits = browser(cast.bob).get("/search", {"q": contract.address}).content.decode()
    assert reverse("chains:contract-detail", args=[contract.uid]) in hits
    prepared(cast.alice, ledger, name="Hidden")
    assert "Hidden" not in browser(cast.bob).get(reverse("chains:contract-list")).content.decode()
