"""Stretches of ledgers over a real connection, from nodes that answer in another form than they should."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chains.observing.sound import MAX_COUNT, sound_transaction, sound_transactions
from console.errors import PlatformRefused
from platforms.drivers.evm.observed import observed
from platforms.drivers.evm.rpc import Rpc
from platforms.drivers.evm.stretch import stretch
from platforms.drivers.evm.wire import Wire
from platforms.standard import LedgerRange, LedgerRangeRequest, TransactionRow
from tests.platforms.evm.lying import ACCOUNT, HASHES, Json, LyingNode


def read(node: LyingNode, *, full: bool = True) -> LedgerRange:
    async def ask() -> LedgerRange:
        wire = Wire(Rpc(allow_private=True), allow_private=True)
        chain = observed(node.chain_id)
        assert chain is not None
        request = LedgerRangeRequest(chain_id=chain.chain_id, from_height=0, to_height=1, full=full)
        try:
            return await stretch(lambda calls, form: wire.ask(chain, calls, form), request, by_block=True)
        finally:
            await wire._session().close()

    return asyncio.run(ask())


def test_what_is_read_stands_in_rows_and_the_rest_is_passed_over(node: LyingNode) -> None:
    found = read(node)
    assert [(each.height, each.hash, each.parent_hash, each.transactions) for each in found.blocks] == [
        (0, HASHES[1], HASHES[0], 1),
        (1, HASHES[2], HASHES[1], 1),
    ]
    last = found.transactions[1]
    assert (last.tx_id, last.value, last.input, last.to, last.contract) == (HASHES[6], "7", "0x01", "", ACCOUNT)
    logs = [{"address": ACCOUNT, "topics": [HASHES[9]], "data": "0x"}]
    assert json.loads(last.extrainfo) == {"gasUsed": 21000, "nonce": 3, "logs": logs}
    light = read(node, full=False).transactions[1]
    assert (light.tx_id, light.value, light.input) == (HASHES[6], "", "")
    assert json.loads(light.extrainfo) == {"gasUsed": 21000, "logs": logs}


@pytest.mark.parametrize(
    "change",
    [
        {"hash": 5},
        {"hash": None},
        {"transactions": {}},
        {"transactions": [7]},
        {"number": 1.5},
        {"number": "zz"},
        {"timestamp": None},
        {"parentHash": ["0x"]},
    ],
)
def test_a_block_of_another_form_is_refused(node: LyingNode, change: Json) -> None:
    node.change = lambda method, said: said | change if method == "eth_getBlockByNumber" else said
    with pytest.raises(PlatformRefused) as refused:
        read(node)
    assert refused.value.code == "bad_answer"
    (name,) = change
    assert name in refused.value.detail, "it says what is not understood"
    assert f"127.0.0.1:{node.port}" in refused.value.detail, "and who said it"


@pytest.mark.parametrize("said", ["yes", [{"blockHash": HASHES[1]}], {"logs": []}, [["0x"]], 3])
def test_receipts_of_another_form_are_refused(node: LyingNode, said: Any) -> None:
    node.change = lambda method, whole: whole if method == "eth_getBlockByNumber" else said
    with pytest.raises(PlatformRefused) as refused:
        read(node)
    assert refused.value.code == "bad_answer"


@pytest.mark.parametrize("price", ["zz", "0x", "-"])
def test_a_receipt_with_a_number_that_is_none_is_refused(node: LyingNode, price: str) -> None:
    node.change = lambda method, said: [said[0] | {"gasUsed": price}] if method == "eth_getBlockReceipts" else said
    with pytest.raises(PlatformRefused) as refused:
        read(node)
    assert refused.value.code == "bad_answer"


@pytest.mark.parametrize("said", [None, [], [None]])
def test_blocks_end_where_their_receipts_are_not_there(node: LyingNode, said: Any) -> None:
    node.change = lambda method, whole: whole if method == "eth_getBlockByNumber" else said
    assert read(node).blocks == []


def test_a_block_without_whole_transactions_is_not_taken_for_whole(node: LyingNode) -> None:
    bare = {"transactions": [HASHES[5]]}
    node.change = lambda method, said: said | bare if method == "eth_getBlockByNumber" else said
    assert read(node).blocks == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"<html>", "JSON"),
        (b'{"hello": "there"}', "nonsense"),
        (b"[]", "nonsense"),
        (b'[{"id": 0, "error": {"code": -32000, "message": "too much work"}}]', "too much work"),
        (b'[{"id": 0, "result": null, "extra": ' + b"[" * 200_000 + b"]" * 200_000 + b"}]", "JSON"),
        (b'[{"id": 0, "result": {"hash": "\xff"}}]', "JSON"),
    ],
)
def test_what_is_no_answer_is_told_in_words(node: LyingNode, body: bytes, word: str) -> None:
    node.body = body
    with pytest.raises(PlatformRefused) as refused:
        read(node)
    assert word in refused.value.detail


@pytest.mark.parametrize(
    "unsound",
    [
        {"input": "0x\x00"},
        {"extrainfo": "x" * 1_000_001},
        {"sender": "x" * 101},
        {"index": -1},
        {"index": MAX_COUNT + 1},
    ],
)
def test_one_unsound_among_many_is_seen(node: LyingNode, unsound: Json) -> None:
    rows = read(node).transactions * 50
    assert sound_transactions(rows) == rows == [sound_transaction(each) for each in rows]
    rows[70] = rows[70]._replace(**unsound)
    if "index" in unsound:
        with pytest.raises(PlatformRefused):
            sound_transactions(rows)
        return
    cleaned: list[TransactionRow] = sound_transactions(rows)
    assert cleaned == [sound_transaction(each) for each in rows] != rows
