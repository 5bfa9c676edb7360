"""The testbed's plane with a whole life of networks and members, each by a job, and the mapping that speaks to it.

Two mappings: `CAREFUL` as a good platform lets one write it (creating twice with one token makes one network, the id
is known from the first answer on), `CARELESS` for a platform that makes a new network at every call and tells nothing
before its job has ended.
"""

from __future__ import annotations

import functools
from typing import Any

import yaml

from platforms.models import Platform, PlatformVersion
from tests.platforms.plane import API_FILE as BASE_FILE
from tests.platforms.plane import MAPPING as BASE_MAPPING
from tests.platforms.plane import NO_NETWORK, TOKEN, Json, Network, Plane

CREATE, LIST = "POST /v1/networks", "GET /v1/networks"
READ, DELETE = "GET /v1/networks/{network}", "DELETE /v1/networks/{network}"
JOIN, QUIT = "POST /v1/networks/{network}/members", "POST /v1/networks/{network}/departures"
JOB = "GET /v1/jobs/{job}"


class UnionPlane(Plane):
    """Jobs do the work when they end: `fails` says for which kinds of them it comes to nothing, and how."""

    def __init__(self) -> None:
        super().__init__(polls=1)
        self.fails: dict[str, str] = {}  # kind of job -> "clean" (nothing is left) or "dirty" (something is)
        self.careful = True
        self.tokens |= {"AK-of-one": "department"}

    def people(self) -> dict[str, list[str]]:
        """Label of a network -> who is in it, as the plane sees it."""
        return {each.label: [row["org"] for row in each.members] for each in self.networks.values()}

    def answer(self, method: str, parts: list[str], query: str, body: Any) -> tuple[int, Any]:
        match method, *parts:
            case "POST", "networks":
                return 202, self._create(body)
            case "POST", "networks", network, "members" if network in self.networks:
                return self._join(self.networks[network], body)
            case "POST", "networks", network, "departures" if network in self.networks:
                return self._depart(self.networks[network], body)
            case "DELETE", "networks", network if network in self.networks:
                return 202, self._job("delete", self.networks[network])
            case "GET", "jobs", job if job in self.jobs:
                return 200, self._poll(job)
            case "GET", "networks", *_rest:
                for job in list(self.jobs):
                    self._poll(job)  # time passes also while nobody asks for the job
        return super().answer(method, parts, query, body)

    def _create(self, body: Json) -> Json:
        if self.careful and body["token"] in self.once:
            return self.once[body["token"]]
        network = Network(f"n-{next(self.numbers)}", body["name"])
        network.members.append({"id": f"m-{next(self.numbers)}", "org": body["owner"]["org"]})
        self.networks[network.id] = network
        self.once[body["token"]] = self._job("create", network)
        return self.once[body["token"]]

    def _join(self, network: Network, body: Json) -> tuple[int, Any]:
        if any(row["org"] == body["org"] for row in network.members):
            return 409, {"error": {"code": "IN", "text": "This organization is a member already."}}
        member = {"id": f"m-{next(self.numbers)}", "org": body["org"]}
        network.members.append(member)
        return 202, {**self._job("join", network, member), "member": member["id"]}

    def _depart(self, network: Network, body: Json) -> tuple[int, Any]:
        member = next((row for row in network.members if row["org"] == body["org"]), None)
        if member is None:
            return 404, {"error": {"code": "NO_MEMBER", "text": "There is no such member."}}
        return 202, self._job("quit", network, member)

    def _job(self, kind: str, network: Network, member: Json | None = None) -> Json:
        job = f"j-{next(self.numbers)}"
        self.jobs[job] = {"kind": kind, "network": network, "member": member, "polls": 0}
        return {"job": job, "network": network.id}

    def _poll(self, job: str) -> Json:
        row = self.jobs[job]
        row["polls"] += 1
        if row["polls"] <= self.polls:
            return {"state": "RUNNING"}
        if "ended" not in row:
            row["ended"] = self._end(row["kind"], row["network"], row["member"])
        return row["ended"]

    def _end(self, kind: str, network: Network, member: Json | None) -> Json:
        how = self.fails.get(kind, "")
        done = not how
        if (kind, how) in (("create", "clean"), ("delete", "")):
            self.networks.pop(network.id, None)
        elif kind == "create":
            network.state = "LIVE" if done else "BROKEN"
        elif (kind, how) in (("join", "clean"), ("quit", "")) and member in network.members:
            network.members.remove(member)
        return {"state": "DONE"} if done else {"state": "BROKEN", "reason": "the disk is full"}


def _api_file() -> str:
    document = yaml.safe_load(BASE_FILE)
    document["paths"]["/v1/networks/{network}/departures"] = {
        "parameters": document["paths"]["/v1/networks/{network}/members"]["parameters"],
        "post": {**document["paths"]["/v1/networks/{network}/members"]["post"], "operationId": "removeMember"},
    }
    return yaml.safe_dump(document)


def _job_step(of: str, cred: str) -> Json:
    return {
        "id": "built",
        "op": "getJob",
        "cred": cred,
        "path": {"job": {"$from": f"$.steps.{of}.body.job"}},
        "poll": {
            "every": 0.01,
            "limit": 20,
            "until": {"$.body.state": "DONE"},
            "fail": {"$.body.state": "BROKEN"},
        },
    }


def _mapping(*, careful: bool) -> Json:
    document = yaml.safe_load(BASE_MAPPING)
    document["auth"] = {"kind": "bearer", "token": "ak"}
    document["errorMessage"] = ["$.body.error.text", "$.body.reason"]
    interfaces = document["interfaces"]
    members = {
        "$each": "$.steps.read.body.members",
        "$item": {"member_id": {"$from": "@.id"}, "name": {"$from": "@.org"}},
    }
    interfaces["get_network"]["result"]["members"] = members
    create = interfaces["create_network"]
    create["steps"][1] = _job_step("create", "creator")
    if not careful:
        create["steps"][0].pop("idempotent")
        create.pop("known")
    place = {"network": {"$from": "$.in.network_id"}}
    body = {"org": {"$from": "$.in.member.orgcode"}}
    interfaces["join_network"] = {
        "steps": [
            {"id": "add", "op": "addMember", "cred": "member", "path": place, "body": body},
            _job_step("add", "member"),
        ],
        "result": {
            "network_id": {"$from": "$.in.network_id"},
            "member_id": {"$from": "$.steps.add.body.member"},
            "status": "running",
        },
        **({"known": {"member_id": {"$from": "$.steps.add.body.member"}}} if careful else {}),
    }
    interfaces["quit_network"] = {
        "steps": [
            {"id": "remove", "op": "removeMember", "cred": "member", "path": place, "body": body},
            _job_step("remove", "member"),
        ],
        "gone": {"status": 404},
        "result": {"status": "deleted"},
    }
    interfaces["delete_network"] = {
        "steps": [
            {"id": "delete", "op": "deleteNetwork", "cred": "creator", "path": place},
            _job_step("delete", "creator"),
        ],
        "gone": {"status": 404},
        "result": {"status": "deleted"},
    }
    return document


@functools.cache
def _offering(*, careful: bool, without: tuple[str, ...] = ()) -> tuple[str, frozenset[str]]:
    """A mapping, and the names of what it offers."""
    document = _mapping(careful=careful)
    for name in without:
        del document["interfaces"][name]
    return yaml.safe_dump(document), frozenset(document["interfaces"])


API_FILE, (CAREFUL, _), (CARELESS, _) = _api_file(), _offering(careful=True), _offering(careful=False)


def speak_to(plane: UnionPlane, platform: Platform, *, careful: bool = True, without: tuple[str, ...] = ()) -> None:
    """Let the platform's row speak to the plane; `without` are operations that it does not offer."""
    mapping, offered = _offering(careful=careful, without=without)
    plane.careful = careful
    number = platform.versions.count() + 1
    platform.version = PlatformVersion.objects.create(
        platform=platform, number=number, api_file=API_FILE, mapping=mapping
    )
    platform.base_url, platform.revision = plane.address, platform.revision + 1
    platform.credentials = f'{{"ak": "{TOKEN}"}}'
    platform.capabilities = {
        name: {"supported": name in offered, "reason": "" if name in offered else "The testbed cannot do this."}
        for name in platform.capabilities
    }
    platform.save()


__all__ = ["CAREFUL", "CARELESS", "CREATE", "DELETE", "JOB", "JOIN", "LIST", "NO_NETWORK", "QUIT", "READ", "UnionPlane"]
