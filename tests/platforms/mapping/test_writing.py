"""Writing into a mapping's text: what was typed stays, what was put in reads back."""

from __future__ import annotations

import pytest

from console.errors import Invalid
from platforms.mapping.documents import read_document
from platforms.mapping.writing import Note, excerpt, put, removed, rendered
from platforms.presets import presets

TEXT = """# ours
mapping: 1
auth: {kind: none}   # nobody asks
interfaces:
  # how it is
  get_health:
    steps:
    - {id: read, op: health}
    result: {status: up}
    # a remark about health

  list_networks:       # all of them
    steps: [{id: list, op: listNetworks}]
    result: {items: []}
# the end
"""
NEW = {"steps": [{"id": "read", "op": "other"}], "result": {Note("status: look"): None, "detail": "yes"}}
WITHOUT_REMARKS = {"steps": [{"id": "read", "op": "other"}], "result": {"detail": "yes"}}


def read(text: str) -> dict[str, object]:
    return read_document(text, field="mapping")


def test_an_entry_is_replaced_and_the_rest_stays() -> None:
    made = put(TEXT, ("interfaces", "get_health"), NEW)
    assert read(made)["interfaces"]["get_health"] == WITHOUT_REMARKS  # type: ignore[index]
    assert "# status: look" in made
    for line in ("# ours", "auth: {kind: none}   # nobody asks", "  # how it is", "# the end", "# all of them"):
        assert line in made
    assert "a remark about health" not in made, "it belonged to what was replaced"


def test_an_entry_is_added_at_the_end_of_its_block() -> None:
    made = put(TEXT, ("interfaces", "get_chain"), NEW)
    assert list(read(made)["interfaces"]) == ["get_health", "list_networks", "get_chain"]  # type: ignore[call-overload]
    assert made.startswith(TEXT[: TEXT.index("# the end")])
    assert made.endswith("# the end\n")


@pytest.mark.parametrize(
    "text",
    ["", "mapping: 1\n", "mapping: 1\ninterfaces: {}\n", "mapping: 1\ninterfaces:\n", "{mapping: 1}", '{"a": 1}'],
)
def test_wherever_it_starts_from(text: str) -> None:
    made = put(text, ("interfaces", "get_chain"), NEW)
    assert read(made)["interfaces"] == {"get_chain": WITHOUT_REMARKS}
    assert put(made, ("interfaces", "get_chain"), NEW) == made, "again, and nothing changes"


def test_an_entry_is_taken_out() -> None:
    made = removed(TEXT, ("interfaces", "get_health"))
    assert list(read(made)["interfaces"]) == ["list_networks"]  # type: ignore[call-overload]
    assert "# all of them" in made
    assert "a remark about health" not in made
    assert removed(TEXT, ("interfaces", "nothing")) == TEXT
    assert removed(TEXT, ("nothing", "at_all")) == TEXT


def test_aliases_are_written_out_when_their_anchor_goes() -> None:
    text = "mapping: 1\ninterfaces:\n  a: &one\n    steps: [x]\n  b: *one\n"
    made = put(text, ("interfaces", "a"), {"steps": ["y"]})
    assert read(made)["interfaces"] == {"a": {"steps": ["y"]}, "b": {"steps": ["x"]}}


@pytest.mark.parametrize("chosen", presets(), ids=lambda chosen: chosen.slug)
def test_the_first_and_the_last_interface_of_every_preset_can_be_replaced(chosen: object) -> None:
    text = chosen.mapping  # type: ignore[attr-defined]
    before = read(text)
    for name in (next(iter(before["interfaces"])), next(reversed(before["interfaces"]))):  # type: ignore[call-overload]
        made = put(text, ("interfaces", name), NEW)
        assert read(made) == {**before, "interfaces": {**before["interfaces"], name: WITHOUT_REMARKS}}  # type: ignore[dict-item]


def test_an_excerpt_knows_its_line() -> None:
    assert excerpt(TEXT, ("interfaces", "list_networks"))[0] == 12
    assert excerpt(TEXT, ("interfaces", "nothing")) == (0, "")


@pytest.mark.parametrize(
    "value",
    [
        "yes", "null", "007", "1e3", "a: b", "- x", "@.id", "", " x ", "你好", "two\nlines", True, None, 3, 1.5, [], {},
        {"a": [{"b": ["c", {"d": {}}]}], "on": "off"},
    ],
)  # fmt: skip
def test_what_is_written_reads_back(value: object) -> None:
    assert read(rendered({"v": value})) == {"v": value}


def test_a_text_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Invalid):
        put("a: [", ("interfaces", "get_chain"), NEW)
