"""Template values, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from platforms.mapping.paths import compiled
from platforms.mapping.values import Unfit, evaluate, holds

DOCUMENT: dict[str, Any] = {
    "in": {"name": "net", "from": "0xabc", "org": {"id": 7}},
    "const": {"edition": "STANDARD"},
    "steps": {"list": {"body": {"rows": [{"id": "1", "at": 1700000000123, "s": 1}, {"id": "2", "at": 0, "s": 9}]}}},
    "status": 200,
    "body": {"code": 0, "flag": True, "none": None},
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("literal", "literal"),
        ([1, {"a": None}], [1, {"a": None}]),
        ({"from": "a transaction's own field"}, {"from": "a transaction's own field"}),
        ({"$from": "$.in.name"}, "net"),
        ({"$from": "$.in['from']"}, "0xabc"),
        ({"x": {"$from": "$.in.org.id", "$as": "string"}}, {"x": "7"}),
        ({"$from": "$.in.nothing", "$default": 3}, 3),
        ({"x": {"$from": "$.in.nothing", "$optional": True}, "y": 1}, {"y": 1}),
        ({"$from": "$.in.name", "$enum": {"net": "NETWORK"}}, "NETWORK"),
        ({"$from": "$.in.name", "$enum": {"a": 1}, "$else": "other"}, "other"),
        ({"$from": "$.body.code", "$enum": {0: "ok"}}, "ok"),
        ({"$const": {"$from": "looks like one"}}, {"$from": "looks like one"}),
        ({"$join": ["a", {"$from": "$.in.org.id"}], "$with": "-"}, "a-7"),
        ({"$from": "$.steps.list.body.rows[*].id", "$pick": "all"}, ["1", "2"]),
        ({"$from": "$.steps.list.body.rows[*].id", "$pick": "count"}, 2),
        ({"$from": "$.steps.list.body.rows[?@.s == 9].id", "$pick": "first"}, "2"),
        (
            {"$each": "$.steps.list.body.rows", "$item": {"n": {"$from": "@.id", "$as": "integer"}}},
            [{"n": 1}, {"n": 2}],
        ),
        ({"$each": "$.body.none", "$item": 1}, []),
        ({"$each": "$.body.nothing", "$item": 1, "$default": []}, []),
        ({"x": {"$each": "$.body.nothing", "$item": 1, "$optional": True}}, {}),
        ({"$each": "$.steps.list.body.rows[?@.s == 9]", "$item": {"$from": "@.id"}}, ["2"]),
        ({"$from": "$.body.none", "$default": 7}, 7),
        ({"$from": "$.body.none", "$as": "integer"}, None),
        ({"$from": "$.body.flag", "$enum": {"true": "yes", "1": "one"}}, "yes"),
        ({"$from": "$.body.flag", "$enum": {True: "yes"}}, "yes"),
        ({"$join": ["on", {"$from": "$.body.flag"}], "$with": " "}, "on true"),
    ],
)
def test_values(template: Any, expected: Any) -> None:
    assert evaluate(template, DOCUMENT) == expected


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ("12", "integer", 12),
        (12.0, "integer", 12),
        ("1.5", "number", 1.5),
        ("0x1f", "hexInteger", 31),
        ({"a": [1, "税"]}, "json", '{"a":[1,"税"]}'),
        ("yes", "boolean", True),
        (0, "boolean", False),
        (1700000000123, {"time": "ms"}, "2023-11-14T22:13:20.123000+00:00"),
        ("1700000000", {"time": "s"}, "2023-11-14T22:13:20+00:00"),
        ({"a": [1]}, "string", '{"a":[1]}'),
        (True, "string", "true"),
        ("2023-11-14T22:13:20Z", {"time": "iso"}, "2023-11-14T22:13:20+00:00"),
        ("2023-11-14 22:13:20", {"time": "%Y-%m-%d %H:%M:%S", "zone": "+08:00"}, "2023-11-14T22:13:20+08:00"),
    ],
)
def test_conversions(found: Any, wanted: Any, expected: Any) -> None:
    assert evaluate({"$from": "$.x", "$as": wanted}, {"x": found}) == expected


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("1_000", "integer"),
        ("12x", "integer"),
        (1.5, "integer"),
        ("9" * 100, "integer"),
        ("nan", "number"),
        ("inf", "number"),
        ("0xzz", "hexInteger"),
        (17, "hexInteger"),
        ("maybe", "boolean"),
        ("yesterday", {"time": "iso"}),
        (1700000000, {"time": "iso"}),
        (1e300, {"time": "s"}),
        ("2023-11-14", {"time": "%Y-%m-%d", "zone": "Beijing"}),
    ],
)
def test_conversions_that_fail_say_so(found: Any, wanted: Any) -> None:
    with pytest.raises(Unfit, match="cannot convert"):
        evaluate({"$from": "$.x", "$as": wanted}, {"x": found})


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ({"$from": "$.in.nothing"}, "is not there"),
        ({"$from": "$.in.name", "$as": "integer"}, "cannot convert 'net' to integer"),
        ({"$from": "$.in.name", "$enum": {"a": 1}}, "is none of a"),
        ({"$from": "$.in.org.id", "$enum": {True: 1}}, "is none of true"),
        ({"$from": "$.steps.list.body.rows[*]", "$pick": "only"}, "matches 2"),
        ({"$from": "@.id"}, "outside of a list"),
        ({"$from": "$.steps.list.body.rows[*].id"}, "matches 2"),
        ({"$each": "$.body.nothing", "$item": 1}, "is not there"),
        ({"$each": "$.in.org", "$item": 1}, "is an object where a list is expected"),
        ({"$each": "$.in.name", "$item": 1}, "is 'net' where a list is expected"),
        ({"$join": ["a", {"$from": "$.in.org"}]}, "a text is expected, found an object"),
        ({"$from": "$.body.flag", "$as": "integer"}, "cannot convert True to integer"),
    ],
)
def test_what_does_not_fit_says_where(template: Any, words: str) -> None:
    with pytest.raises(Unfit) as problem:
        evaluate({"a": [template]}, DOCUMENT, place="call")
    assert problem.value.place == "call.a[0]"
    assert words in problem.value.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("$..x", "`..` is not allowed"),
        ("$.a[?@..b]", "`..` is not allowed"),
        ("$.a[?match(@.b, 'x')]", "match"),
        ("$.a[?search(@.b, 'x')]", "search"),
        ("$.a[?@.b[?@.c]]", "filter inside of a filter"),
        ("$.a[", ""),
        ("a.b", "starts with $ or @"),
        ("$.a" + "[0]" * 200, "at most"),
    ],
)
def test_forbidden_paths(path: str, words: str) -> None:
    with pytest.raises(ValueError) as problem:  # noqa: PT011 - the words are looked at below
        compiled(path)
    assert words in str(problem.value)
    with pytest.raises(Unfit):
        evaluate({"$from": path}, DOCUMENT)


def test_two_dots_in_a_name_are_a_name() -> None:
    assert evaluate({"$from": "$['a..b']"}, {"a..b": 1}) == 1


def test_a_filter_on_a_row_sees_the_document() -> None:
    document = {"in": {"wanted": "b"}, "rows": [{"tags": [{"k": "a", "v": 1}, {"k": "b", "v": 2}]}]}
    item = {"$from": "@.tags[?@.k == $.in.wanted].v", "$pick": "only"}
    assert evaluate({"$each": "$.rows", "$item": item}, document) == [2]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"status": [200, 201]}, True),
        ({"status": [404]}, False),
        ({"status": [200], "$.body.code": [0]}, True),
        ({"status": [200], "$.body.code": [1]}, False),
        ([{"status": [404]}, {"$.body.code": [0]}], True),
        ({"$.body.flag": [1]}, False),
        ({"$.body.missing": [None]}, False),
        ({"$.body.missing": []}, True),
        ({"$.body.code": []}, False),
        ({"status": [200], "$.steps.list.body.rows[?@.s == 7]": []}, True),
        ({"status": [200], "$.steps.list.body.rows[?@.s == 9]": []}, False),
    ],
)
def test_conditions(condition: Any, expected: bool) -> None:
    assert holds(condition, DOCUMENT) is expected


@pytest.mark.parametrize(
    ("found", "wanted", "made"),
    [
        ("/subscriptions/s-1/resourceGroups/g/members/m1", {"part": 2, "of": "/"}, "s-1"),
        ("/subscriptions/s-1/resourceGroups/g/members/m1", {"part": -1, "of": "/"}, "m1"),
        ("alone", {"part": -1, "of": "/"}, "alone"),
        ("org-A2b3", {"name": "a-z0-9"}, "orga2b3"),
        ("Permits, on AWS!", {"name": "A-Za-z0-9-", "most": 9}, "PermitsonA"[:9]),
        ("a.b_c-d", {"name": "a-z._-"}, "a.b_c-d"),
        ("许可证 7", {"name": "a-z0-9"}, "7"),
        (7, {"name": "0-9"}, "7"),
    ],
)
def test_parts_and_names(found: Any, wanted: Any, made: str) -> None:
    assert evaluate({"$from": "$.in.x", "$as": wanted}, {"in": {"x": found}}) == made


@pytest.mark.parametrize(("found", "wanted"), [("a/b", {"part": 2, "of": "/"}), (7, {"part": 0, "of": "/"})])
def test_a_part_that_is_not_there(found: Any, wanted: Any) -> None:
    with pytest.raises(Unfit, match=r"cannot convert .* to a part of a text"):
        evaluate({"$from": "$.in.x", "$as": wanted}, {"in": {"x": found}}, place="here")
