"""Files from strangers: read as they are meant, or refused in words and within bounds."""

from __future__ import annotations

import time

import pytest

from console.errors import Invalid
from platforms.mapping.documents import Lines, read_document


def refused(text: str, **options: bool) -> str:
    with pytest.raises(Invalid) as problem:
        read_document(text, field="mapping", **options)
    assert list(problem.value.errors) == ["mapping"]
    return problem.value.detail


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = "a: on\nb: 2018-09-24\nc: 22:15\nd: 007\ne: 0x1f\nf: 1.5\ng: 1e3\nh: true\ni: null\nj: .inf\nk: -3\nl: yes\n"
    assert read_document(text, field="x") == {
        "a": "on",
        "b": "2018-09-24",
        "c": "22:15",
        "d": "007",
        "e": 31,
        "f": 1.5,
        "g": 1000.0,
        "h": True,
        "i": None,
        "j": ".inf",
        "k": -3,
        "l": "yes",
    }


def test_keys_are_texts() -> None:
    assert read_document("200: a\ntrue: b\n1.5: c", field="x") == {"200": "a", "true": "b", "1.5": "c"}


def test_json_and_yaml_read_alike() -> None:
    assert read_document('{"a": [1, true, null, "x"]}', field="x") == read_document("a: [1, true, null, x]", field="x")


def test_a_key_twice() -> None:
    assert read_document("a: 1\na: 2", field="x") == {"a": 2}
    assert refused("b: 1\na: 1\na: 2", once=True) == "line 3: a is there twice"
    assert refused('{"a": 1,\n "a": 2}', once=True) == "line 2: a is there twice"


def test_the_line_of_a_mistake_is_named() -> None:
    assert refused("a: 1\nb: [1, 2\nc: 3").startswith("line 3: ")
    assert refused('{"a": 1,\n "b" 2}').startswith("line 2: ")


@pytest.mark.parametrize("text", ["- 1\n- 2", "just words", "12", ""])
def test_an_object_is_expected(text: str) -> None:
    assert refused(text) == "an object is expected at the top"


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system ['true']", "a: !!python/name:os.system"])
def test_no_python_in_yaml(text: str) -> None:
    assert "could not determine a constructor" in refused(text)


@pytest.mark.parametrize("text", ["[" * 400_000, "- " * 400_000, '{"a":' * 200_000, "{a: " * 200_000])
def test_deep_nesting_is_refused_and_does_not_end_the_process(text: str) -> None:
    begun = time.monotonic()
    assert "nested deeper than 100" in refused(text)
    assert time.monotonic() - begun < 5


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "unfolds to more than" in refused("\n".join(lines))


def test_a_document_that_contains_itself_is_refused() -> None:
    assert "referring to itself" in refused("a: &a {b: *a}")


def test_too_large() -> None:
    assert refused("a: " + "x" * 2_100_000) == "larger than 2 MB"


def test_lines_of_parts() -> None:
    lines = Lines("a:\n  b:\n  - c: 1\n  - d:\n      e: 2\n")
    assert lines.of(("a", "b", 1, "d", "e")) == 5
    assert lines.of(("a", "b", 0)) == 3
    assert lines.of(("a", "b", 1, "nothing")) == 4
    assert lines.of(("nothing",)) == 1
