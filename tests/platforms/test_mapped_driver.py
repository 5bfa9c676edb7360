"""The driver that runs a mapping, against a real HTTP server that answers well, badly, late or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from console.errors import Missing, NotSupported, OutcomeUnknown, PlatformRefused, PlatformUnavailable
from platforms import standard
from platforms.drivers.base import Credentials, Finished, PartyCredential, Pending, read, trace_of
from platforms.drivers.mapped import MappedDriver
from platforms.standard import OPERATIONS
from tests.platforms.plane import API_FILE, MAPPING, TOKEN, Plane, running_plane

OPERATOR = Credentials(platform=PartyCredential(token=TOKEN))
TAX = standard.Party(orgcode="org-tax", name="Tax Bureau", category="cloud", tenantid="11")
HOUSING = standard.Party(orgcode="org-housing", name="Housing Office", category="cloud", tenantid="12")
CREATE = standard.CreateNetworkRequest(name="Permits", creator=TAX, members=(HOUSING,))
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def plane() -> Iterator[Plane]:
    with running_plane() as made:
        yield made


@pytest.fixture
def driver(plane: Plane) -> MappedDriver:
    return speaking_to(plane)


def speaking_to(plane: Plane, change: Change | None = None) -> MappedDriver:
    mapping = yaml.load(MAPPING, Loader=yaml.CSafeLoader)
    if change:
        change(mapping["interfaces"])
    return MappedDriver.from_text(
        api_file=API_FILE,
        mapping=json.dumps(mapping),
        addresses={"default": plane.address},
        allow_private=True,
    )


def carried(driver: MappedDriver, request: standard.Request = CREATE, operation: str = "create_network") -> Any:
    """Go on until it is finished, each time from a position that has been through JSON. (answer, all pendings)."""
    pendings: list[Pending] = []
    while True:
        position = json.loads(json.dumps(pendings[-1].position)) if pendings else None
        result = driver.perform(operation, request, credentials=OPERATOR, key="key-1", position=position)
        if isinstance(result, Finished):
            return result, pendings
        pendings.append(result)


def test_reading(driver: MappedDriver) -> None:
    health = read(driver, "get_health", standard.EmptyRequest(), OPERATOR)
    assert health == standard.Health(status="up", version="1.4.2", detail="")


def test_all_pages_are_gathered(driver: MappedDriver, plane: Plane) -> None:
    tenants = read(driver, "list_tenants", standard.EmptyRequest(), OPERATOR)
    assert [(each.tenantid, each.tenantname, each.projectid) for each in tenants.items] == [
        ("11", "Tax Bureau", "p-1"),
        ("12", "Housing Office", ""),
    ]
    assert [each.path for each in plane.asked] == ["/v1/tenants?limit=50", "/v1/tenants?limit=50&cursor=second"]


def test_too_many_pages_are_an_error_and_no_short_list(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["GET /v1/tenants"] = [{"body": {"tenants": [], "next": "again"}}] * 9
    with pytest.raises(PlatformRefused, match=r"more pages than the mapping allows \(5\)") as problem:
        read(driver, "list_tenants", standard.EmptyRequest(), OPERATOR)
    assert problem.value.code == "page_limit"
    assert len(plane.asked) == 5


def test_a_network_is_made_across_waits(driver: MappedDriver, plane: Plane) -> None:
    finished, pendings = carried(driver)
    network = next(iter(plane.networks.values()))
    assert finished.answer == standard.NetworkAnswer(network_id=network.id, status="running")
    assert plane.routes().count("POST /v1/networks") == 1
    assert [each.known for each in pendings] == [{"network_id": network.id}] * len(pendings)
    assert plane.asked[0].body == {
        "token": "key-1",
        "name": "Permits",
        "kernel": "EVM",
        "owner": {"org": "org-tax", "name": "Tax Bureau"},
        "guests": [{"org": "org-housing", "tenant": "12"}],
    }


def test_what_was_changed_is_remembered_before_anything_else_is_asked(driver: MappedDriver, plane: Plane) -> None:
    first = driver.perform("create_network", CREATE, credentials=OPERATOR, key="key-1")
    assert isinstance(first, Pending)
    assert plane.routes() == ["POST /v1/networks"]
    assert first.known == {"network_id": next(iter(plane.networks))}


def test_the_same_key_has_one_effect(driver: MappedDriver, plane: Plane) -> None:
    """A worker that dies before it can write down its position runs the step again."""
    for _ in range(2):
        driver.perform("create_network", CREATE, credentials=OPERATOR, key="key-1")
    assert len(plane.networks) == 1


def test_the_trace_tells_what_was_sent_and_hides_secrets(driver: MappedDriver, plane: Plane) -> None:
    finished, pendings = carried(driver)
    lines = [line for each in (*pendings, finished) for line in each.trace]
    network = next(iter(plane.networks))
    assert lines[0]["message"] == "POST /v1/networks → 202"
    assert lines[0]["step"] == "create"
    assert lines[0]["status"] == 202
    assert lines[0]["answered"]["network"] == network
    assert lines[0]["sent"]["token"] == "••••••", "hidden by its name"
    assert lines[-1]["message"] == f"GET /v1/networks/{network} → 200"
    assert TOKEN not in json.dumps(lines)


def test_a_failed_run_leaves_its_trace_too(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["GET /v1/health"] = [{"status": 500, "body": {"error": {"text": "out of order"}}}]
    with pytest.raises(PlatformUnavailable) as problem:
        read(driver, "get_health", standard.EmptyRequest(), OPERATOR)
    assert [line["message"] for line in trace_of(problem.value)] == ["GET /v1/health → 500"]
    plane.faults["GET /v1/health"] = ["reset"]
    with pytest.raises(PlatformUnavailable) as problem:
        read(driver, "get_health", standard.EmptyRequest(), OPERATOR)
    assert "did not answer" in trace_of(problem.value)[0]["message"]


def test_a_credential_that_the_platform_repeats_is_hidden(driver: MappedDriver, plane: Plane) -> None:
    plane.tokens = {}
    with pytest.raises(PlatformRefused, match="does not accept the credential") as problem:
        read(driver, "get_health", standard.EmptyRequest(), OPERATOR)
    assert problem.value.code == "credential_refused"
    assert "The platform says: the token •••••• is not known" in problem.value.detail
    assert TOKEN not in json.dumps(trace_of(problem.value))


# --- jobs -----------------------------------------------------------------------------------------------------------


def test_a_job_that_fails_says_why_and_what_was_made(driver: MappedDriver, plane: Plane) -> None:
    plane.job_ends = "BROKEN"
    plane.polls = 0
    first = driver.perform("create_network", CREATE, credentials=OPERATOR, key="key-1")
    assert isinstance(first, Pending)
    assert first.known, "known before the job can fail"
    with pytest.raises(PlatformRefused, match="reports that it failed: BROKEN") as problem:
        driver.perform("create_network", CREATE, credentials=OPERATOR, key="key-1", position=first.position)
    assert problem.value.code == "job_failed"


def test_a_job_that_never_ends(driver: MappedDriver, plane: Plane) -> None:
    plane.polls = 1000
    with pytest.raises(PlatformRefused, match="not through with it after ") as problem:
        carried(driver)
    assert problem.value.code == "poll_limit"
    assert plane.routes().count("GET /v1/jobs/{job}") == 4


@pytest.mark.parametrize(
    ("nonsense", "words"),
    [
        ({"body": {"state": "BANANA"}}, r"built.poll.until: \$.body.state is 'BANANA'; the API file knows QUEUED"),
        ({"body": {"state": 7}}, r"\$.body.state is 7; the API file knows QUEUED"),
        ({"body": {"state": None}}, r"\$.body.state is None"),
        ({"body": {}}, r"built.poll.until: \$.body.state is not in the platform's answer"),
        ({"body": ["a", "list"]}, r"\$.body.state is not in the platform's answer"),
        ({"body": "a text"}, r"\$.body.state is not in the platform's answer"),
        ("html", r"create_network.built: .* answered 200 with something that is not JSON"),
        ({"status": 302, "headers": {"location": "/"}}, r"create_network.built: .* redirect"),
        ({"status": 404, "body": {"error": {"text": "no such job"}}}, r"create_network.built: 404, no such job"),
    ],
)
def test_a_job_that_answers_nonsense(driver: MappedDriver, plane: Plane, nonsense: Any, words: str) -> None:
    plane.faults["GET /v1/jobs/{job}"] = [nonsense]
    with pytest.raises(PlatformRefused) as problem:
        carried(driver)
    assert re.search(words, problem.value.for_operators)
    assert "built" not in problem.value.detail, "the place is for operators"


def test_states_that_the_template_names_overrule_the_file(plane: Plane) -> None:
    def change(interfaces: dict[str, Any]) -> None:
        interfaces["create_network"]["steps"][1]["poll"]["while"] = {"$.body.state": ["RUNNING", "BANANA"]}

    plane.faults["GET /v1/jobs/{job}"] = [{"body": {"state": "BANANA"}}]
    finished, _pendings = carried(speaking_to(plane, change))
    assert finished.answer.status == "running"
    plane.faults["GET /v1/jobs/{job}"] = [{"body": {"state": "QUEUED"}}]
    with pytest.raises(PlatformRefused, match="do not fit together") as problem:
        carried(speaking_to(plane, change), CREATE.model_copy(update={"name": "Other"}))
    assert "'QUEUED', which means nothing" in problem.value.note


# --- patience -------------------------------------------------------------------------------------------------------


def test_the_platform_says_when_to_come_back(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["POST /v1/networks"] = [{"status": 429, "headers": {"retry-after": "7"}, "body": {}}]
    result = driver.perform("create_network", CREATE, credentials=OPERATOR, key="key-1")
    assert isinstance(result, Pending)
    assert result.seconds == 7
    finished = driver.perform("create_network", CREATE, credentials=OPERATOR, key="key-1", position=result.position)
    assert isinstance(finished, Pending)
    assert len(plane.networks) == 1


def test_a_poll_may_ask_for_longer_pauses(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["GET /v1/jobs/{job}"] = [{"body": {"state": "RUNNING"}, "headers": {"retry-after": "30"}}]
    _finished, pendings = carried(driver)
    assert pendings[1].seconds == 30


def test_a_platform_that_always_puts_us_off_is_unavailable(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["POST /v1/networks"] = [{"status": 503, "headers": {"retry-after": "1"}, "body": {}}] * 40
    with pytest.raises(PlatformUnavailable, match="answered 503"):
        carried(driver)
    assert len(plane.asked) == 31


def test_reading_does_not_wait(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["GET /v1/health"] = [{"status": 503, "headers": {"retry-after": "9"}, "body": {}}]
    with pytest.raises(PlatformUnavailable, match="The platform answered 503"):
        read(driver, "get_health", standard.EmptyRequest(), OPERATOR)


@pytest.mark.parametrize("fault", ["reset", {"status": 502, "body": {}}])
def test_trouble_after_a_success_costs_no_position(driver: MappedDriver, plane: Plane, fault: Any) -> None:
    """The job's first poll fails: what comes next is the poll again, not the creation."""
    plane.polls = 0
    plane.faults["GET /v1/networks/{network}"] = [fault]
    finished, pendings = carried(driver)
    assert finished.answer.status == "running"
    assert plane.routes().count("POST /v1/networks") == 1
    assert pendings[-1].seconds > 0


def test_trouble_at_once_is_for_the_caller_to_repeat(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["POST /v1/networks"] = [{"status": 502, "body": {}}]
    with pytest.raises(PlatformUnavailable):
        driver.perform("create_network", CREATE, credentials=OPERATOR, key="key-1")


# --- lost answers ---------------------------------------------------------------------------------------------------


def test_a_lost_answer_of_an_idempotent_step_may_be_asked_for_again(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["POST /v1/networks"] = ["reset-after"]
    with pytest.raises(PlatformUnavailable) as problem:
        driver.perform("create_network", CREATE, credentials=OPERATOR, key="key-1")
    assert not isinstance(problem.value, OutcomeUnknown)
    carried(driver)
    assert len(plane.networks) == 1
    assert [each.body["token"] for each in plane.asked if each.route == "POST /v1/networks"] == ["key-1", "key-1"]


def test_a_lost_answer_of_any_other_step_is_an_unknown_outcome(plane: Plane) -> None:
    def change(interfaces: dict[str, Any]) -> None:
        del interfaces["create_network"]["steps"][0]["idempotent"]

    plane.faults["POST /v1/networks"] = ["reset-after"]
    with pytest.raises(OutcomeUnknown):
        speaking_to(plane, change).perform("create_network", CREATE, credentials=OPERATOR, key="key-1")
    assert len(plane.networks) == 1


@pytest.mark.parametrize(("fault", "posts"), [("reset-after", 1), ("reset", 2)])
def test_with_a_lookup_the_engine_looks_before_it_creates_again(
    driver: MappedDriver, plane: Plane, fault: str, posts: int
) -> None:
    created, _pendings = carried(driver)
    plane.faults["POST /v1/networks/{network}/members"] = [fault]
    request = standard.JoinNetworkRequest(network_id=created.answer.network_id, member=HOUSING)
    joined, _pendings = carried(driver, request, "join_network")
    members = plane.networks[created.answer.network_id].members
    assert [each["org"] for each in members] == ["org-tax", "org-housing"], "joined once"
    assert joined.answer.member_id == members[-1]["id"]
    assert plane.routes().count("POST /v1/networks/{network}/members") == posts


# --- words for what is not there --------------------------------------------------------------------------------------


def test_what_is_gone_is_missing(driver: MappedDriver) -> None:
    with pytest.raises(Missing, match="There is no such network"):
        read(driver, "get_network", standard.GetNetworkRequest(network_id="n-9"), OPERATOR)


def test_a_deletion_waits_until_it_is_gone(driver: MappedDriver, plane: Plane) -> None:
    created, _pendings = carried(driver)
    request = standard.DeleteNetworkRequest(network_id=created.answer.network_id, creator=TAX)
    finished, _pendings = carried(driver, request, "delete_network")
    assert finished.answer.status == "deleted"
    assert plane.networks == {}


def test_what_is_not_offered_says_why(driver: MappedDriver) -> None:
    request = standard.CreateChainRequest(network_id="n-1", name="x", creator=TAX)
    with pytest.raises(NotSupported, match="one chain with each network"):
        driver.perform("create_chain", request, credentials=OPERATOR, key="k")
    with pytest.raises(NotSupported, match="does not offer"):
        driver.perform("get_monitoring", standard.ChainRequest(chain_id="c"), credentials=OPERATOR, key="k")
    capabilities = driver.capabilities()
    assert set(capabilities) == set(OPERATIONS)
    assert capabilities["create_network"].supported
    assert capabilities["create_chain"].reason == "This platform makes one chain with each network."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"state": "ODD"}, r"MAPPING at get_health.result.status: 'ODD' is none of BAD, OK, SLOW"),
        ({}, r"MAPPING at get_health.result.status: \$.steps.health.body.state is not there"),
        ({"state": "OK", "release": 14}, r"MAPPING at get_health.result.version: Input should be a valid string"),
        (None, r"MAPPING at get_health.result.status: \$.steps.health.body.state is not there"),
    ],
)
def test_a_wrong_answer_is_named_by_its_place(driver: MappedDriver, plane: Plane, body: Any, words: str) -> None:
    plane.faults["GET /v1/health"] = [{"body": body}]
    with pytest.raises(PlatformRefused, match="do not fit together") as problem:
        read(driver, "get_health", standard.EmptyRequest(), OPERATOR)
    assert problem.value.code == "mapping_failed"
    assert re.search(words, problem.value.note)


def test_errors_by_rule(driver: MappedDriver, plane: Plane) -> None:
    plane.faults["GET /v1/health"] = [
        {"status": 409, "body": {"error": {"code": "BUSY", "text": "wait a little"}}},
        {"status": 409, "body": {"error": {"code": "FULL", "text": "no room"}}},
    ]
    with pytest.raises(PlatformUnavailable, match="wait a little") as busy:
        read(driver, "get_health", standard.EmptyRequest(), OPERATOR)
    with pytest.raises(PlatformRefused, match="no room") as full:
        read(driver, "get_health", standard.EmptyRequest(), OPERATOR)
    assert (busy.value.code, full.value.code) == ("busy", "full")


def test_path_values_stay_in_their_place(driver: MappedDriver, plane: Plane) -> None:
    with pytest.raises(Missing):
        read(driver, "get_network", standard.GetNetworkRequest(network_id="../tenants?x=1"), OPERATOR)
    assert plane.asked[-1].path == "/v1/networks/..%2Ftenants%3Fx%3D1"
    with pytest.raises(PlatformRefused, match="cannot stand in a path"):
        read(driver, "get_network", standard.GetNetworkRequest(network_id=".."), OPERATOR)
