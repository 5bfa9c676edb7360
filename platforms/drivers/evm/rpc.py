"""JSON-RPC in batches, to whichever of a chain's nodes answers first."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import ValidationError, convert

from console.errors import ConsoleError, PlatformRefused, PlatformUnavailable
from platforms.drivers.evm import words as say
from platforms.drivers.evm.answers import form_of
from platforms.drivers.evm.book import Chain, Node
from platforms.http import Outgoing, PlatformClient

CALL_SECONDS = 5.0
SILENT_SECONDS = 10.0  # a node that did not answer is asked last for so long
MAX_CLIENTS = 256
MAX_BODY = 32 * 1024 * 1024
NO_METHOD = "no_method"  # the node does not know what it was asked for
BAD_ANSWER = "bad_answer"  # nonsense, or in a form that is not understood
Call = tuple[str, list[Any]]
TOO_SLOW = "too_slow"  # the whole answer was not there in time: asking for less may help
WHICH_CHAIN: Call = ("eth_chainId", [])


class CallRefused(PlatformRefused):
    """A node has understood what it was asked, and says no: another one of its chain would say the same."""


class Rpc:
    """Connections to many nodes. Safe to use from several threads."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._clients: OrderedDict[str, PlatformClient] = OrderedDict()
        self._last: dict[str, str] = {}  # chain -> the node that answered last
        self._silent: dict[str, float] = {}  # node -> when it did not answer
        self._doubted: set[str] = set()  # nodes that were not there: who answers next may be somebody else's
        self._lock = threading.Lock()

    def ask(self, chain: Chain, calls: Sequence[Call]) -> list[Any]:
        """The results, in order, all from one node. CallRefused by the first that understands and refuses; what
        `nobody_answers` says when none does either."""
        problems: list[ConsoleError] = []
        for node in self.order(chain):
            try:
                answers = self.ask_own(chain, node, calls)
            except CallRefused:
                raise
            except (PlatformRefused, PlatformUnavailable) as problem:
                problems.append(problem)
                self.note_silent(node, problem)
                continue
            self.note_answer(chain, node)
            return answers
        raise nobody_answers(chain, problems)

    def ask_own(self, chain: Chain, node: Node, calls: Sequence[Call]) -> list[Any]:
        """As `ask_node`; PlatformRefused where a node of another chain has taken the place of a silent one."""
        if calls and self.is_doubted(node):
            with in_doubt():
                told = self.ask_node(node, [WHICH_CHAIN])
            self.note_number(chain, node, told)
        return self.ask_node(node, calls)

    def ask_node(self, node: Node, calls: Sequence[Call]) -> list[Any]:
        """The results of one node, in order. CallRefused for a call that it refuses, PlatformRefused for nonsense."""
        if not calls:
            return []
        sent = self._client(node.rpc).send(Outgoing("POST", "/", body=batch(calls), idempotent=True))
        return results(node, calls, sent.body)

    def is_silent(self, node: Node) -> bool:
        """Whether it did not answer a moment ago: whoever is in a hurry does not ask it again."""
        return time.monotonic() - self._silent.get(node.node_id, -SILENT_SECONDS) < SILENT_SECONDS

    def answers(self, node: Node, number_of_chain: int) -> bool:
        """Whether it answers, and for this chain. PlatformRefused where a node of another one is at its port."""
        try:
            (told,) = self.ask_node(node, [WHICH_CHAIN])
        except ConsoleError:
            return False
        if number(told) != number_of_chain:
            words = {"host": node.ip, "number": number(told), "port": node.rpc_port}
            raise PlatformRefused(say.OTHER_AT_PORT % words, code="port_taken")
        return True

    def close(self) -> None:
        with self._lock:
            clients, self._clients = list(self._clients.values()), OrderedDict()
        for client in clients:
            client.close()

    def note_silent(self, node: Node, problem: ConsoleError) -> None:
        """It did not answer, or with nonsense. One that was not there is doubted from now on."""
        self._silent[node.node_id] = time.monotonic()
        if isinstance(problem, PlatformUnavailable) and problem.code != TOO_SLOW:
            self._doubted.add(node.node_id)

    def is_doubted(self, node: Node) -> bool:
        """Whether it has to say again which chain it is of, before anything that it says is taken for the chain's."""
        return node.node_id in self._doubted

    def note_number(self, chain: Chain, node: Node, told: Sequence[Any]) -> None:
        """What a doubted node has said of its chain. PlatformRefused for another one: it stays doubted."""
        found = number(told[0])
        if found != chain.number:
            words = {"node": node.node_id, "found": found, "wanted": chain.number}
            raise PlatformRefused(say.OTHER_CHAIN % words, code="other_chain")
        self._doubted.discard(node.node_id)

    def note_answer(self, chain: Chain, node: Node) -> None:
        self._last[chain.chain_id] = node.node_id
        self._silent.pop(node.node_id, None)

    def others(self, chain: Chain) -> list[Node]:
        """Nodes besides the one that answered last, without those that have just been silent."""
        return [node for node in self.order(chain)[1:] if not self.is_silent(node)]

    def order(self, chain: Chain) -> list[Node]:
        """Nodes that run, the one that answered last first, those that have just been silent last."""
        last = self._last.get(chain.chain_id)
        running = [node for node in chain.nodes if node.enode]
        if len(running) < 2:
            return running
        return sorted(running, key=lambda node: (self.is_silent(node), node.node_id != last, node.rpc))

    def _client(self, address: str) -> PlatformClient:
        with self._lock:
            client = self._clients.pop(address, None) or PlatformClient(
                address, allow_private=self._allow_private, max_body=MAX_BODY, call_seconds=CALL_SECONDS
            )
            self._clients[address] = client
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)  # closed by whoever uses it last, letting it go
            return client


@contextlib.contextmanager
def in_doubt() -> Iterator[None]:
    """A node that does not say which chain it is of is passed over: what it refuses is no word of the chain's."""
    try:
        yield
    except CallRefused as problem:
        raise PlatformRefused(problem.detail, code=problem.code) from problem


def nobody_answers(chain: Chain, problems: Sequence[ConsoleError]) -> ConsoleError:
    """What comes of it when no node has answered: time may heal that, unless all of them have talked nonsense.

    Nonsense is told before silence, and its code kept: asking for less may help.
    """
    if not problems:
        return PlatformUnavailable(say.NOBODY_ANSWERS % {"chain": chain.name, "problem": say.NO_NODES})
    nonsense = [each for each in problems if isinstance(each, PlatformRefused)]
    if len(nonsense) == len(problems):
        return nonsense[-1]
    said = (nonsense or problems)[-1]
    return PlatformUnavailable(say.NOBODY_ANSWERS % {"chain": chain.name, "problem": said.detail}, code=said.code)


def batch(calls: Sequence[Call]) -> list[dict[str, Any]]:
    return [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
        for number, (method, parameters) in enumerate(calls)
    ]


def results(node: Node, calls: Sequence[Call], said: Any) -> list[Any]:
    """What was answered to each call, in the form that it has. CallRefused for one that was refused, PlatformRefused
    for one that was not answered, or with nonsense."""
    answers = said if isinstance(said, list) else []
    by_id = {each["id"]: each for each in answers if isinstance(each, dict) and isinstance(each.get("id"), int)}
    return [_result(node, call, by_id.get(number)) for number, call in enumerate(calls)]


def _result(node: Node, call: Call, answer: Any) -> Any:
    method, given = call
    if not isinstance(answer, dict) or not (answer.get("error") or "result" in answer):
        raise PlatformRefused(say.NOT_ANSWERED % {"node": node.node_id, "method": method}, code=BAD_ANSWER)
    if answer.get("error"):
        said = answer["error"]
        words = str(said.get("message") if isinstance(said, dict) else said)[:200]
        code = NO_METHOD if isinstance(said, dict) and said.get("code") == -32601 else ""
        raise CallRefused(say.NODE_REFUSED % {"node": node.node_id, "method": method, "problem": words}, code=code)
    try:
        convert(answer["result"], form_of(method, given))
    except ValidationError as problem:
        odd = {"node": node.node_id, "method": method, "problem": problem}
        raise PlatformRefused(say.NOT_FORMED % odd, code=BAD_ANSWER) from problem
    return answer["result"]


def number(value: Any) -> int:
    """A quantity as JSON-RPC writes it. PlatformRefused for what is none."""
    try:
        return int(value, 16) if isinstance(value, str) else int(value or 0)
    except (TypeError, ValueError, OverflowError) as problem:
        raise PlatformRefused(say.NOT_THIS_FORM % {"problem": str(problem)[:200]}, code=BAD_ANSWER) from problem
