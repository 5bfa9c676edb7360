"""The platform of the chaos run: a process of its own, told and asked over its standard input and output.

It is never killed, for what it remembers is the truth that the console is measured by. One line of JSON asks, one
line answers: `{"roughness": 0.1}` sets the weather, `{}` only asks for the state.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

import django

django.setup()

from tests.chaos.weather import Drawn, Weather  # noqa: E402 - the plane speaks in the words of the models
from tests.platforms.plane import Json, Network  # noqa: E402
from tests.unions.union_plane import UnionPlane  # noqa: E402


class RecordingPlane(UnionPlane):
    """A union plane that writes down every effect, and what came to nothing because it was a repetition."""

    def __init__(self, *, careful: bool) -> None:
        super().__init__()
        self.careful = careful
        self.effects: list[list[str]] = []
        self.absorbed: Counter[str] = Counter()

    def _create(self, body: Json) -> Json:
        before = len(self.networks)
        answer = super()._create(body)
        if len(self.networks) > before or not self.careful:
            self.effects.append(["create", answer["network"], body["token"]])
        else:
            self.absorbed["same key"] += 1
        return answer

    def _join(self, network: Network, body: Json) -> tuple[int, Any]:
        status, answer = super()._join(network, body)
        if status == 202:
            self.effects.append(["join", network.id, body["org"]])
        else:
            self.absorbed["member already"] += 1
        return status, answer

    def _end(self, kind: str, network: Network, member: Json | None) -> Json:
        there, inside = network.id in self.networks, member is not None and member in network.members
        answer = super()._end(kind, network, member)
        if there and network.id not in self.networks:
            self.effects.append(["delete", network.id, kind])
        elif inside and member not in network.members and member is not None:
            self.effects.append(["quit", network.id, member["org"]])
        return answer

    def answer(self, method: str, parts: list[str], query: str, body: Any) -> tuple[int, Any]:
        status, answer = super().answer(method, parts, query, body)
        if status == 404 and method in ("POST", "DELETE"):
            self.absorbed["gone already"] += 1
        return status, answer

    def state(self, *, settled: bool = False) -> Json:
        """What is there and what happened; `settled` is how it is once every job has ended."""
        with self.lock:
            for job in list(self.jobs) if settled else ():
                for _poll in range(self.polls + 1):
                    self._poll(job)
            return {
                "networks": {each.id: self._shown(each) for each in self.networks.values()},
                "effects": self.effects,
                "absorbed": self.absorbed,
            }

    @staticmethod
    def _shown(network: Network) -> Json:
        return {"label": network.label, "orgs": sorted(row["org"] for row in network.members)}


class ChaosPlane(RecordingPlane):
    """A plane that is subject to the weather."""

    def __init__(self, seed: str, *, careful: bool) -> None:
        super().__init__(careful=careful)
        self.weather = Weather(seed)
        self.faults = Drawn(self.weather.faults)
        self.fails = Drawn(self.weather.job)

    def told(self, words: Json) -> Json:
        """Set what is to be set; the state."""
        with self.lock:
            self.weather.roughness = words.get("roughness", self.weather.roughness)
            return {**self.state(settled=words.get("settle", False)), "faults": self.weather.seen}


def main() -> None:
    seed = sys.argv[1]
    planes = {name: ChaosPlane(f"{seed} {name}", careful=name == "careful") for name in ("careful", "careless")}
    say({name: plane.address for name, plane in planes.items()})
    for line in sys.stdin:
        words = json.loads(line)
        say({name: plane.told(words) for name, plane in planes.items()})


def say(answer: Json) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
