"""The static check: broken templates are refused, each for its own reason, by place and line; where files lie, samples
win."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from console.errors import Invalid
from platforms.mapping.check import Finding, Report, check_files
from platforms.mapping.template import Template
from tests.platforms.plane import API_FILE, MAPPING, SAMPLES

Json = dict[str, Any]
Change = Callable[[Json], None]
CREATE = "create_network"


def mapping(change: Change) -> str:
    """The plane's mapping with a change to its interfaces, as a text with lines."""
    document = yaml.load(MAPPING, Loader=yaml.CSafeLoader)
    change(document["interfaces"])
    return yaml.dump(json.loads(json.dumps(document)), sort_keys=False)


def api(change: Change) -> str:
    document = yaml.load(API_FILE, Loader=yaml.CSafeLoader)
    change(document)
    return yaml.dump(json.loads(json.dumps(document)), sort_keys=False)


def step(interfaces: Json, name: str, index: int = 0) -> Json:
    return interfaces[name]["steps"][index]


def body(interfaces: Json) -> Json:
    return step(interfaces, CREATE)["body"]


def the_error(report: Report) -> Finding:
    """The one reason for which the files are refused."""
    assert [each.whole for each in report.errors][1:] == []
    assert not report.passed
    return report.errors[0]


def test_the_whole_example_is_in_order() -> None:
    report = check_files(API_FILE, MAPPING, SAMPLES)
    assert [each.whole for each in report.findings if each.level != "note"] == []
    assert report.passed
    assert {name: run.fault for name, run in report.dry_runs.items()} == dict.fromkeys(SAMPLES)


def test_what_is_not_offered_is_noted() -> None:
    (note,) = check_files(API_FILE, MAPPING).findings
    assert (note.level, note.place) == ("note", "unsupported")
    assert "get_chain" in note.text
    assert "create_chain" not in note.text, "its reason is given"


# --- fifteen broken templates ---------------------------------------------------------------------------------------


def unknown_operation(i: Json) -> None:
    step(i, "get_network")["op"] = "fetchNetwork"
    i["get_network"]["result"] = {"network_id": "x", "name": "x", "status": "running"}


def multipart(i: Json) -> None:
    step(i, "get_health")["op"] = "uploadChaincode"
    i["get_health"]["result"] = {"status": "up"}


def binary(i: Json) -> None:
    step(i, "get_network")["op"] = "exportNetwork"
    i["get_network"]["result"] = {"network_id": "x", "name": "x", "status": "running"}


def missing_field(i: Json) -> None:
    del i["get_network"]["result"]["name"]


def wrong_type(i: Json) -> None:
    del i["list_tenants"]["result"]["items"]["$item"]["tenantid"]["$as"]


def unconverted_time(i: Json) -> None:
    i["list_networks"]["result"]["items"]["$item"]["created"] = {"$from": "@.made", "$as": "string"}


def enum_hole(i: Json) -> None:
    del i["get_health"]["result"]["status"]["$enum"]["SLOW"]


def foreign_enum_value(i: Json) -> None:
    i["get_health"]["result"]["status"]["$enum"]["SLOW"] = "sluggish"


def wrong_path(i: Json) -> None:
    i["get_network"]["result"]["name"] = {"$from": "$.steps.read.body.title"}


def many_valued_path(i: Json) -> None:
    i["list_networks"]["result"]["items"]["$item"]["name"] = {"$from": "@.members[*].org"}


def later_step(i: Json) -> None:
    body(i)["name"] = {"$from": "$.steps.read.body.label"}


def missing_path_parameter(i: Json) -> None:
    del step(i, "get_network")["path"]


def query_type(i: Json) -> None:
    step(i, "list_tenants")["query"] = {"limit": "many"}


def regex(i: Json) -> None:
    i["get_network"]["result"]["name"] = {
        "$from": "$.steps.read.body.members[?match(@.org, '.*')].org",
        "$pick": "first",
    }


def extra_field(i: Json) -> None:
    i["get_health"]["result"]["mood"] = "good"


@pytest.mark.parametrize(
    ("broken", "place", "words"),
    [
        (unknown_operation, "get_network.read.op", "has no operation fetchNetwork"),
        (multipart, "get_health.health.op", "takes multipart/form-data only"),
        (binary, "get_network.read.op", "answers with a file (application/zip)"),
        (missing_field, "get_network.result", "The field name is missing"),
        (wrong_type, "list_tenants.result.items[].tenantid", "integer is made where string is expected"),
        (unconverted_time, "list_networks.result.items[].created", "A time is expected"),
        (enum_hole, "get_health.result.status", "no entry for SLOW"),
        (foreign_enum_value, "get_health.result.status", "sluggish is none of the values"),
        (wrong_path, "get_network.result.name", "there is no title; there is id, label, state"),
        (many_valued_path, "list_networks.result.items[].name", "can find many values"),
        (later_step, "create_network.create.body.name", "reads the step read, which comes later"),
        (missing_path_parameter, "get_network.read.path", "needs a value for network"),
        (query_type, "list_tenants.list.query.limit", "expects integer here"),
        (regex, "get_network.result.name", "match"),
        (extra_field, "get_health.result.mood", "no field mood"),
    ],
)
def test_broken_templates(broken: Change, place: str, words: str) -> None:
    text = mapping(broken)
    error = the_error(check_files(API_FILE, text))
    assert error.place == place
    assert words in error.text
    assert error.file == "mapping"
    assert error.line
    line = text.splitlines()[error.line - 1]
    assert any(part in line for part in (*place.split(".")[-2:], "op:", "- id", "$from", "$enum")), line


# --- more rules -----------------------------------------------------------------------------------------------------


def bad_body_enum(i: Json) -> None:
    body(i)["kernel"] = "QUORUM"


def bad_body_type(i: Json) -> None:
    body(i)["priority"] = {"$from": "$.in.name"}


def body_field_missing(i: Json) -> None:
    del body(i)["owner"]["org"]


def body_field_optional(i: Json) -> None:
    body(i)["name"] = {"$from": "$.in.name", "$optional": True}


def body_field_extra(i: Json) -> None:
    body(i)["colour"] = "red"


def body_missing(i: Json) -> None:
    del step(i, CREATE)["body"]


def until_never(i: Json) -> None:
    step(i, CREATE, 1)["poll"]["until"] = {"$.body.state": "FINISHED"}


def fail_of_wrong_type(i: Json) -> None:
    step(i, CREATE, 1)["poll"]["fail"] = {"$.body.reason": 7}


def no_such_status(i: Json) -> None:
    step(i, CREATE)["expect"] = {"status": [2000]}


def answer_outside(i: Json) -> None:
    body(i)["name"] = {"$from": "$.body.name"}


def own_step(i: Json) -> None:
    body(i)["name"] = {"$from": "$.steps.create.body.network"}


def no_such_step(i: Json) -> None:
    i[CREATE]["result"]["network_id"] = {"$from": "$.steps.made.body.network"}


def row_outside(i: Json) -> None:
    i["get_health"]["result"]["version"] = {"$from": "@.release"}


def request_unknown(i: Json) -> None:
    step(i, "get_network")["path"] = {"network": {"$from": "$.in.networkid"}}


def const_unknown(i: Json) -> None:
    step(i, "list_tenants")["query"] = {"limit": {"$from": "$.const.sizes"}}


def not_a_list(i: Json) -> None:
    i["list_networks"]["result"]["items"]["$each"] = "$.steps.list.body.networks[0].label"


def walk_not_a_list(i: Json) -> None:
    step(i, "list_tenants")["walk"]["items"] = "$.body.next"
    i["list_tenants"]["result"]["items"] = []


def twice_the_same_id(i: Json) -> None:
    step(i, CREATE, 2)["id"] = "built"
    i[CREATE]["result"]["status"] = "running"


def path_unknown(i: Json) -> None:
    step(i, "get_network")["path"]["net"] = "x"


def path_optional(i: Json) -> None:
    step(i, "get_network")["path"]["network"]["$optional"] = True


def object_in_the_path(i: Json) -> None:
    step(i, "join_network")["path"]["network"] = {"$from": "$.in.member"}


def null_result(i: Json) -> None:
    i["get_network"]["result"]["name"] = None


def raw_enum(i: Json) -> None:
    i["get_health"]["result"]["status"] = {"$from": "$.steps.health.body.note"}


def inconvertible(i: Json) -> None:
    i["get_network"]["result"]["name"] = {"$from": "$.steps.read.body.members", "$as": "integer"}


def lookup_unknown(i: Json) -> None:
    step(i, "join_network")["lookup"]["op"] = "findMember"


def lookup_path(i: Json) -> None:
    step(i, "join_network")["lookup"]["found"] = "$.body.people[0]"


def known_path(i: Json) -> None:
    i[CREATE]["known"]["network_id"] = {"$from": "$.steps.create.body.id"}


def filter_path(i: Json) -> None:
    i["get_network"]["result"]["name"] = {"$from": "$.steps.read.body.members[?@.tenant == 'x'].org", "$pick": "first"}


@pytest.mark.parametrize(
    ("broken", "place", "words"),
    [
        (bad_body_enum, "create_network.create.body.kernel", "QUORUM is none of the values"),
        (bad_body_type, "create_network.create.body.priority", "string is made where integer is expected"),
        (body_field_missing, "create_network.create.body.owner", "The field org is missing"),
        (body_field_optional, "create_network.create.body.name", "may be left out, but it is needed"),
        (body_field_extra, "create_network.create.body.colour", "allows no field colour"),
        (body_missing, "create_network.create", "requires a body"),
        (until_never, "create_network.built.poll.until", "is never FINISHED"),
        (fail_of_wrong_type, "create_network.built.poll.fail", "is string, so it is never 7"),
        (no_such_status, "create_network.create.expect", "2000 is no HTTP status"),
        (answer_outside, "create_network.create.body.name", "an answer can be read in expect"),
        (own_step, "create_network.create.body.name", "comes later"),
        (no_such_step, "create_network.result.network_id", "the step made, which does not exist"),
        (row_outside, "get_health.result.version", "stands outside of a list"),
        (request_unknown, "get_network.read.path.network", "there is no networkid; there is network_id"),
        (const_unknown, "list_tenants.list.query.limit", "there is no sizes; there is size"),
        (not_a_list, "list_networks.result.items", "is string where a list is expected"),
        (walk_not_a_list, "list_tenants.list.walk.items", "is string where a list is expected"),
        (twice_the_same_id, "create_network.built.id", "a step built already"),
        (path_unknown, "get_network.read.path.net", "has no net"),
        (path_optional, "get_network.read.path.network", "cannot be left out"),
        (object_in_the_path, "join_network.add.path.network", "not object"),
        (null_result, "get_network.result.name", "null stands where string is expected"),
        (raw_enum, "get_health.result.status", "map the platform's values with $enum"),
        (inconvertible, "get_network.result.name", "is array, which cannot become integer"),
        (lookup_unknown, "join_network.add.lookup.op", "has no operation findMember"),
        (lookup_path, "join_network.add.lookup.found", "there is no people"),
        (known_path, "create_network.known.network_id", "there is no id"),
        (filter_path, "get_network.result.name", "there is no tenant; there is id, org, tags"),
    ],
)
def test_more_broken_templates(broken: Change, place: str, words: str) -> None:
    error = the_error(check_files(API_FILE, mapping(broken)))
    assert (error.place, words in error.text) == (place, True), error.whole


def test_a_required_query_parameter() -> None:
    def change(document: Json) -> None:
        document["paths"]["/v1/health"]["get"]["parameters"] = [
            {"name": "region", "in": "query", "required": True, "schema": {"type": "string"}},
            {"name": "Authorization", "in": "header", "required": True, "schema": {"type": "string"}},
            {"name": "X-Zone", "in": "header", "required": True, "schema": {"type": "string"}},
        ]

    report = check_files(api(change), MAPPING)
    assert [each.text for each in report.errors] == [
        "The API file requires the query parameter region.",
        "The API file requires the header parameter x-zone.",
    ]


def test_an_answer_that_the_file_calls_empty() -> None:
    def change(document: Json) -> None:
        document["paths"]["/v1/health"]["get"]["responses"] = {"204": {"description": "nothing"}}

    report = check_files(api(change), MAPPING)
    assert {each.text.split(": ")[1] for each in report.errors} == {
        "according to the API file there is nothing at this place."
    }
    assert check_files(api(change), MAPPING, SAMPLES).passed, "the sample shows that the file is wrong"


@pytest.mark.parametrize(("idempotent", "lookup", "warned"), [(True, False, 0), (False, False, 1), (False, True, 0)])
def test_calls_whose_answer_may_be_lost(idempotent: bool, lookup: bool, warned: int) -> None:
    def change(interfaces: Json) -> None:
        first = step(interfaces, CREATE)
        if not idempotent:
            del first["idempotent"]
        if lookup:
            first["lookup"] = {"op": "listNetworks", "found": "$.body.networks[?@.label == $.in.name]"}

    report = check_files(API_FILE, mapping(change))
    assert report.passed
    assert sum("nobody knows whether it took effect" in each.text for each in report.warnings) == warned


# --- files lie ------------------------------------------------------------------------------------------------------


def schemaless(document: Json) -> None:
    content = document["paths"]["/v1/health"]["get"]["responses"]["200"]["content"]["application/json"]
    content["schema"] = {}


def other_names(document: Json) -> None:
    health = document["components"]["schemas"]["Health"]
    health["properties"] = {"status": {"type": "string"}, "release": {"type": "number"}, "note": {"type": "string"}}


def test_what_the_file_leaves_open_is_cleared_by_a_sample() -> None:
    silent = check_files(api(schemaless), MAPPING)
    assert [(each.level, each.place) for each in silent.findings[:3]] == [
        ("warning", "get_health.result.status"),
        ("warning", "get_health.result.version"),
        ("warning", "get_health.result.detail"),
    ]
    shown = {**SAMPLES, "get_health": {"answers": {"health": {"state": "OK", "release": "1", "note": ""}}}}
    assert check_files(api(schemaless), MAPPING, shown).warnings == []


def test_where_a_sample_contradicts_the_file_it_counts() -> None:
    alone = check_files(api(other_names), MAPPING)
    assert [each.place for each in alone.errors] == ["get_health.result.status", "get_health.result.version"]
    report = check_files(api(other_names), MAPPING, SAMPLES)
    assert report.passed
    assert [each.text for each in report.warnings] == [
        "The API file does not know $.steps.health.body.state, the sample shows it. The sample counts.",
        "The API file says that $.steps.health.body.release is number, the sample shows string. The sample counts.",
    ]


def test_a_sample_that_the_mapping_cannot_digest_is_an_error() -> None:
    samples = copy.deepcopy(SAMPLES)
    samples["create_network"]["answers"]["built"] = [{"body": {"state": "BANANA"}}]
    error = the_error(check_files(API_FILE, MAPPING, samples))
    assert error.place == "create_network.built.poll.until"
    assert "'BANANA'" in error.text


def test_samples_for_nobody() -> None:
    samples = {"get_chain": {"answers": {}}, "get_health": {"answers": {"helth": {"state": "OK"}}}}
    report = check_files(API_FILE, MAPPING, samples)
    assert [each.file for each in report.warnings] == ["samples", "samples"]
    assert check_files(API_FILE, MAPPING, {"dance": {}}).errors[0].file == "samples"


# --- API files of every kind ----------------------------------------------------------------------------------------

SWAGGER = """
swagger: "2.0"
info: {title: old, version: "1"}
basePath: /api
consumes: [application/json]
produces: [application/json]
paths:
  /health/{zone}:
    get:
      operationId: health
      parameters:
      - {name: zone, in: path, required: true, type: integer}
      responses: {200: {description: ok, schema: {$ref: "#/definitions/Envelope"}}}
  /upload:
    post:
      operationId: upload
      consumes: [multipart/form-data]
      parameters: [{name: file, in: formData, type: file, required: true}]
      responses: {200: {description: ok, schema: {$ref: "#/definitions/Envelope"}}}
  /zip:
    get:
      operationId: zip
      produces: [application/octet-stream]
      responses: {200: {description: ok, schema: {type: file}}}
  /networks:
    post:
      operationId: create
      parameters: [{name: body, in: body, required: true, schema: {$ref: "#/definitions/New"}}]
      responses: {200: {description: ok, schema: {$ref: "#/definitions/Envelope"}}}
definitions:
  New: {type: object, required: [name], properties: {name: {type: string}, pages: {type: integer}}}
  Base: {type: object, properties: {code: {type: integer}, message: {type: string}}}
  Envelope:
    allOf:
    - {$ref: "#/definitions/Base"}
    - {type: object, properties: {data: {type: object, properties: {alive: {type: boolean}, id: {type: string}}}}}
"""


def swagger_mapping(**steps: Any) -> str:
    health = {
        "steps": [{"id": "h", "op": "health", "path": {"zone": 1}, "expect": {"$.body.code": [0]}}],
        "result": {"status": {"$from": "$.steps.h.body.data.alive", "$enum": {"true": "up", "false": "down"}}},
    }
    health["steps"][0].update(steps)  # type: ignore[attr-defined]
    return json.dumps({"mapping": 1, "interfaces": {"get_health": health}})


def test_swagger_2_with_allof() -> None:
    report = check_files(SWAGGER, swagger_mapping())
    assert [each.whole for each in report.findings if each.level != "note"] == []


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ({"op": "upload", "path": {}}, "takes multipart/form-data only"),
        ({"op": "zip", "path": {}}, "answers with a file"),
        ({"op": "create", "path": {}}, "create requires a body"),
        ({"op": "create", "path": {}, "body": {"name": 3}}, "integer is made where string is expected"),
        ({"path": {"zone": "north"}}, "expects integer here"),
        ({"op": "GET /health/{zone}", "expect": {"$.body.kode": 0}}, "there is no kode; there is code, message, data"),
    ],
)
def test_swagger_2_broken(steps: Json, words: str) -> None:
    report = check_files(SWAGGER, swagger_mapping(**steps))
    assert any(words in each.text for each in report.errors), [each.whole for each in report.findings]


def test_openapi_3_1_and_alternatives() -> None:
    def change(document: Json) -> None:
        document["openapi"] = "3.1.0"
        document["components"]["schemas"]["Health"] = {
            "oneOf": [
                {"type": "object", "properties": {"state": {"const": "OK"}, "release": {"type": ["string", "null"]}}},
                {"type": "object", "properties": {"state": {"enum": ["SLOW", "BAD"]}, "note": {"type": "string"}}},
            ]
        }

    report = check_files(api(change), MAPPING)
    assert [each.whole for each in report.findings if each.level != "note"] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("openapi: 4.0.0\npaths: {}", "neither OpenAPI 3.0 or 3.1 nor Swagger 2.0"),
        ("swagger: '1.2'\npaths: {/a: {}}", "neither OpenAPI"),
        ("openapi: 3.0.0\npaths: []", "has no paths"),
        ("openapi: 3.0.0\npaths: {/a: 1}", "a path starting with / and an object"),
        ("openapi: 3.0.0\npaths: {/a: {get: {operationId: x}, put: {operationId: x}}}", "used twice"),
        ("openapi: 3.0.0\npaths: {/a: {$ref: 'other.yaml#/a'}}", "leaves the file"),
        ("openapi: 3.0.0\npaths: {/a: {$ref: '#/paths/~1a'}}", "refers to itself"),
        ("openapi: 3.0.0\npaths: {/a: {$ref: '#/nowhere'}}", "points nowhere"),
        ("openapi: 3.0.0\npaths: {/a: {get: {parameters: 3}}}", "parameters is not a list"),
        ("openapi: 3.0.0\npaths: [", "line 3"),
        ("", "an object is expected"),
    ],
)
def test_api_files_that_are_none(text: str, words: str) -> None:
    error = check_files(text, MAPPING).errors[0]
    assert (error.file, words in error.whole) == ("api_file", True), error.whole


def test_references_that_leave_the_file_are_refused_wherever_they_are() -> None:
    def change(document: Json) -> None:
        document["components"]["schemas"]["Unused"] = {"$ref": "https://evil.example/schema.json"}

    error = the_error(check_files(api(change), MAPPING))
    assert error.file == "api_file"
    assert error.place == "components.schemas.Unused"
    assert "https://evil.example/schema.json leaves the file" in error.text


@pytest.mark.parametrize("number", ["1", "x", "-1", "²", "9" * 5000], ids=["1", "x", "-1", "square", "endless"])
def test_references_to_what_no_list_holds_are_said(number: str) -> None:
    def change(document: Json) -> None:
        schemas = document["components"]["schemas"]
        schemas["Kinds"] = {"oneOf": [schemas["Health"]]}
        schemas["Health"] = {"$ref": f"#/components/schemas/Kinds/oneOf/{number}"}

    assert "The API file cannot be followed" in the_error(check_files(api(change), MAPPING)).text


@pytest.mark.parametrize(
    "health",
    [
        {"$ref": "#/components/schemas/Loop"},
        {"allOf": [{"$ref": "#/components/schemas/Health"}]},
        {"oneOf": [{"oneOf": [{"type": "string"}] * 10}] * 10},
    ],
)
def test_schemas_that_are_knots_end(health: Json) -> None:
    def change(document: Json) -> None:
        document["components"]["schemas"]["Health"] = health
        document["components"]["schemas"]["Loop"] = {"$ref": "#/components/schemas/Loop2"}
        document["components"]["schemas"]["Loop2"] = {"$ref": "#/components/schemas/Loop"}

    begun = time.monotonic()
    report = check_files(api(change), MAPPING)
    assert any("cannot be followed" in each.text for each in report.errors)
    assert time.monotonic() - begun < 5


def test_a_schema_that_contains_itself_is_fine() -> None:
    def change(document: Json) -> None:
        document["components"]["schemas"]["Network"]["properties"]["parent"] = {"$ref": "#/components/schemas/Network"}

    assert check_files(api(change), MAPPING).passed


def test_a_large_file_is_checked_quickly() -> None:
    def change(document: Json) -> None:
        for number in range(2200):
            document["paths"][f"/v1/more/{number}"] = copy.deepcopy(document["paths"]["/v1/tenants"])
            document["paths"][f"/v1/more/{number}"]["get"]["operationId"] = f"more{number}"

    document = yaml.load(API_FILE, Loader=yaml.CSafeLoader)
    change(document)
    text = json.dumps(document)
    assert 800_000 < len(text) < 2_000_000
    begun = time.monotonic()
    assert check_files(text, MAPPING, SAMPLES).passed
    assert time.monotonic() - begun < 3


# --- templates that are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("mapping: 1\ninterfaces: {dance: {steps: [], result: {}}}", 2, "dance"),
        ("mapping: 2\ninterfaces: {}", 1, "1 was expected"),
        ("mapping: 1", 1, "'interfaces' is a required property"),
        ("mapping: 1\ninterfaces:\n  get_health:\n    steps: []\n    result: {}", 4, "[] should be non-empty"),
        (
            "mapping: 1\ninterfaces:\n  get_health:\n    steps:\n    - {id: a, op: b, pol: 1}\n    result: {}",
            5,
            "'pol' was unexpected",
        ),
        (
            "mapping: 1\ninterfaces:\n  get_health:\n    steps: [{id: a, op: b}]\n    result:\n"
            "      status: {$from: $.in, $enom: {}}",
            6,
            "'$enom' was unexpected",
        ),
        (
            "mapping: 1\ninterfaces:\n  get_health:\n    steps: [{id: a, op: b}]\n    result: {status: {$form: x}}",
            5,
            "'$form'",
        ),
        ("mapping: 1\nmapping: 1\ninterfaces: {}", 2, "mapping is there twice"),
        ("mapping: 1\nauth: {kind: magic}\ninterfaces: {}", 2, "'magic'"),
        ("mapping: 1\ninterfaces: {\n", 3, ""),
    ],
)
def test_malformed_templates_say_where(text: str, line: int | None, words: str) -> None:
    error = check_files(API_FILE, text).errors[0]
    assert error.file == "mapping"
    assert error.line == line, error.whole
    assert words in error.whole


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("openapi: 3.0.0\npaths: {}\nx: [" + "a," * 900_000 + "]", "api_file"),
        ("mapping: 1\ninterfaces: {}\nx: [" + "{a: 1}," * 20_000 + "]", "mapping"),
        (json.dumps({"mapping": 1, "interfaces": {}, "x": [{"a": 1}] * 20_000}), "mapping"),
    ],
)
def test_files_with_too_many_values_are_refused_at_once(text: str, field: str) -> None:
    begun = time.process_time()
    report = check_files(*((text, MAPPING) if field == "api_file" else (API_FILE, text)))
    assert [(each.file, "unfolds to more than" in each.text) for each in report.errors] == [(field, True)]
    assert time.process_time() - begun < 5


# --- how often a job is looked at -------------------------------------------------------------------------------------


def paced(constant: Any) -> str:
    whole = yaml.load(MAPPING, Loader=yaml.CSafeLoader)
    (polled,) = (each for each in whole["interfaces"]["create_network"]["steps"] if "poll" in each)
    polled["poll"]["every"] = {"$from": "$.const.pace"}
    whole["const"] = {"pace": constant}
    return yaml.safe_dump(whole)


def test_a_constant_says_how_often_a_job_is_looked_at() -> None:
    template = Template.parse(paced(7))
    (polled,) = (each for each in template.interfaces["create_network"].steps if "poll" in each)
    assert polled["poll"]["every"] == 7


@pytest.mark.parametrize("constant", [0, -1, 90_000, "7", True, None])
def test_a_constant_that_is_no_number_of_seconds(constant: Any) -> None:
    with pytest.raises(Invalid) as caught:
        Template.parse(paced(constant))
    assert "create_network" in str(caught.value.errors["mapping"])
    assert "$.const.pace is no number of seconds" in str(caught.value.errors["mapping"])


def test_why_a_call_without_a_key_may_be_sent_twice() -> None:
    def change(reason: Any) -> Report:
        def say(interfaces: Json) -> None:
            create = interfaces["create_network"]["steps"][0]
            create["body"]["token"] = "fixed"
            create["idempotent"] = reason

        return check_files(API_FILE, mapping(say), SAMPLES)

    doubted = [each for each in change(True).warnings if "write why" in each.message]
    assert [each.place for each in doubted] == ["create_network.create.idempotent"]
    assert [each for each in change("the same name is refused").warnings if "write why" in each.message] == []


def test_vendors_own_fields_and_examples_may_leave_the_file() -> None:
    """Every file of Azure's does: `x-ms-examples: {…: {$ref: ./examples/….json}}`."""

    def refer(document: Json) -> None:
        document["x-own"] = {"$ref": "./elsewhere.json"}
        for about in document["paths"].values():
            for operation in about.values():
                if isinstance(operation, dict):
                    operation["x-ms-examples"] = {"one": {"$ref": "./examples/one.json"}}
                    for answer in operation.get("responses", {}).values():
                        for body in answer.get("content", {}).values():
                            body["examples"] = {"one": {"$ref": "./examples/one.json"}}

    assert check_files(api(refer), MAPPING, SAMPLES).passed
