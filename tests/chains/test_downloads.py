"""Connection files: for one's own organization only, written down, and with examples that really run."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chains.models import Blockchain, Node, NodeState, Transaction
from chains.services.grants import create_grant
from console.models import AuditEntry
from console.services.tokens import create_token
from platforms.models import Kernel
from platforms.sandbox.anvil import find_anvil
from tests.chains.ledger_plane import Ledger
from tests.chains.node_plane import anvil
from tests.chains.test_pages import browser, page
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, auditor
from unions.models import MemberRole, Membership

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
NO_ANVIL = "needs anvil: `make setup` installs it, or name it in ANVIL"


@pytest.fixture
def row(chain: MakeChain, cast: Cast) -> Blockchain:
    """An Ethereum chain with a node of Alice's department and one of Bob's, and a contract on it."""
    made, _ledger = chain()
    made.extrainfo = '{"evmChainId": 4242}'
    made.save()
    made.business_chain.platform.kernel = Kernel.ETHEREUM
    made.business_chain.platform.save()
    running = {"blockchain": made, "state": NodeState.RUNNING}
    Node.objects.create(**running, organization=cast.tax, external_id="n-1", endpoint="http://127.0.1.1:9001")
    Node.objects.create(**running, organization=cast.housing, external_id="n-2", endpoint="http://127.0.1.2:9001")
    Transaction.objects.create(blockchain=made, hash="0xabc", height=3, sender="0x1", contract="0xc0ffee")
    return made


def door(row: Blockchain) -> str:
    return f"/api/v1/blockchains/{row.uid}/sdk"


def test_the_files_are_the_callers_own_organizations_and_handing_them_out_is_written_down(
    cast: Cast, row: Blockchain
) -> None:
    answer = client(cast.alice).get(door(row), headers={"Accept": "application/zip"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert "attachment" in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    folder = f"{row.uid}-{cast.tax.orgcode}"
    assert sorted(archive.namelist()) == [
        f"{folder}/{name}" for name in ("README.txt", "address-book.json", "client.mjs", "client.py", "connection.json")
    ]
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert "127.0.1.2" not in everything, "the nodes of others"
    assert "SK-of-one" not in everything
    profile = client(cast.alice).get(door(row), {"part": "connection"}).json()
    assert (profile["chain_id"], profile["kernel"], profile["organization"]["orgcode"]) == (
        4242, "ethereum", cast.tax.orgcode,
    )  # fmt: skip
    assert profile["gateway"]["url"].endswith(f"/api/v1/gateway/{row.uid}/rpc")
    assert [node["endpoint"] for node in profile["nodes"]] == ["http://127.0.1.1:9001"]
    book = client(cast.bob).get(door(row), {"part": "addresses"}).json()
    assert [(each["address"], each["made_in_block"]) for each in book["contracts"]] == [("0xc0ffee", 3)]
    assert "def call(" in client(cast.bob).get(door(row), {"part": "python"}).json()["text"]
    written = AuditEntry.objects.filter(action="chains.sdk.downloaded").order_by("number")
    assert [(each.actor_label, each.data["orgcode"], each.data["part"]) for each in written] == [
        ("alice", cast.tax.orgcode, "all"),
        ("alice", cast.tax.orgcode, "connection"),
        ("bob", cast.housing.orgcode, "addresses"),
        ("bob", cast.housing.orgcode, "python"),
    ]


def test_strangers_and_bad_questions_get_nothing_and_leave_no_trace(cast: Cast, row: Blockchain) -> None:
    number = AuditEntry.objects.count()
    assert_problem(client().get(door(row)), 401)
    assert_problem(client(cast.carol).get(door(row)), 404)
    for overseer in (cast.root, auditor()):
        assert_problem(client(overseer).get(door(row)), 403)
        assert_problem(client(overseer).get(door(row), {"orgcode": cast.tax.orgcode}), 403)
    assert_problem(client(cast.alice).get(door(row), {"orgcode": cast.housing.orgcode}), 403)
    assert_problem(client(cast.alice).get(door(row), {"orgcode": "none"}), 422, "orgcode")
    assert_problem(client(cast.alice).get(door(row), {"part": "keys"}), 422, "part")
    Membership.objects.create(user=cast.alice, organization=cast.social, role=MemberRole.VIEWER)
    assert_problem(client(cast.alice).get(door(row), {"orgcode": cast.social.orgcode}), 409)
    assert browser(cast.carol).get(f"/chains/{row.uid}/sdk").status_code == 404
    assert AuditEntry.objects.count() == number


def test_a_chain_that_the_gateway_does_not_serve_has_a_profile_without_examples(cast: Cast, row: Blockchain) -> None:
    row.business_chain.platform.kernel = Kernel.FABRIC
    row.business_chain.platform.save()
    assert client(cast.alice).get(door(row), {"part": "connection"}).json()["gateway"] is None
    assert_problem(client(cast.alice).get(door(row), {"part": "python"}), 404)
    names = zipfile.ZipFile(io.BytesIO(client(cast.alice).get(door(row)).content)).namelist()
    assert [name.rpartition("/")[2] for name in names] == ["connection.json", "address-book.json"]


def test_the_page_offers_them_to_members_only(cast: Cast, row: Blockchain) -> None:
    assert f"/chains/{row.uid}/sdk?orgcode={cast.tax.orgcode}" in page(cast.alice, f"/chains/{row.uid}")
    assert f"/chains/{row.uid}/sdk" not in page(cast.root, f"/chains/{row.uid}")
    answer = browser(cast.alice).get(f"/chains/{row.uid}/sdk?orgcode={cast.tax.orgcode}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")


@pytest.fixture
def unpacked(cast: Cast, row: Blockchain, tmp_path: Path) -> Iterator[Path]:
    """Alice's files in a folder, her node a real chain."""
    binary = find_anvil()
    assert binary is not None
    create_grant(actor=cast.alice, blockchain=row.uid, orgcode=cast.tax.orgcode, preset="read_and_send")
    zipfile.ZipFile(io.BytesIO(client(cast.alice).get(door(row)).content)).extractall(tmp_path)
    with anvil(binary) as address:
        Node.objects.filter(organization=cast.tax).update(endpoint=address)
        yield tmp_path / f"{row.uid}-{cast.tax.orgcode}"


def run(cast: Cast, row: Blockchain, live_server: Any, *command: str) -> subprocess.CompletedProcess[str]:
    _token, text = create_token(actor=cast.alice, name="example")
    gateway = f"{live_server.url}/api/v1/gateway/{row.uid}/rpc"
    environment = {**os.environ, "CONCORD_TOKEN": text, "CONCORD_GATEWAY": gateway}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


@pytest.mark.skipif(find_anvil() is None, reason=NO_ANVIL)
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_the_examples_run(cast: Cast, row: Blockchain, unpacked: Path, live_server: Any, language: str) -> None:
    node = shutil.which("node")
    if language == "javascript" and node is None:
        pytest.skip("there is no node on this machine, which runs the example in JavaScript")
    program = [sys.executable, str(unpacked / "client.py")] if language == "python" else [
        str(node), str(unpacked / "client.mjs"),
    ]  # fmt: skip
    told = run(cast, row, live_server, *program)
    assert told.returncode == 0, told.stderr
    assert "chain Permits, chain id 4242" in told.stdout
    assert "block 0, 0x" in told.stdout
    balance = run(cast, row, live_server, *program, "eth_getBalance", "0x" + "f" * 40, "latest")
    assert balance.stdout.strip() == '"0x0"', balance.stderr
    refused = run(cast, row, live_server, *program, "anvil_mine")
    assert refused.returncode == 1
    assert "403" in refused.stderr
    assert "anvil_mine" in refused.stderr
