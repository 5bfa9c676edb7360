"""The counting of votes, by example and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unions.models import Rule
from unions.tally import Outcome, tally


@pytest.mark.parametrize(
    ("electorate", "votes", "rule", "outcome"),
    [
        ([], {}, Rule.EVERYONE, Outcome.CARRIED),
        (["a"], {}, Rule.EVERYONE, Outcome.OPEN),
        (["a"], {"a": True}, Rule.EVERYONE, Outcome.CARRIED),
        (["a"], {"a": False}, Rule.EVERYONE, Outcome.REFUSED),
        (["a", "b"], {"a": True}, Rule.EVERYONE, Outcome.OPEN),
        (["a", "b"], {"a": True, "b": True}, Rule.EVERYONE, Outcome.CARRIED),
        (["a", "b"], {"b": False}, Rule.EVERYONE, Outcome.REFUSED),
        (["a", "b"], {"stranger": True}, Rule.EVERYONE, Outcome.OPEN),
        (["a", "b", "c"], {"a": True, "b": True}, Rule.MAJORITY, Outcome.CARRIED),
        (["a", "b", "c"], {"a": False, "b": True}, Rule.MAJORITY, Outcome.OPEN),
        (["a", "b", "c"], {"a": False, "b": False}, Rule.MAJORITY, Outcome.REFUSED),
        (["a", "b"], {"a": True, "b": False}, Rule.MAJORITY, Outcome.REFUSED),
    ],
)
def test_examples(electorate: list[str], votes: dict[str, bool], rule: str, outcome: Outcome) -> None:
    assert tally(electorate, votes, rule) is outcome


names = st.sampled_from("abcdef")


@given(
    st.sets(names), st.dictionaries(names, st.booleans()), st.dictionaries(names, st.booleans()), st.sampled_from(Rule)
)
def test_a_settled_outcome_never_changes(
    electorate: set[str], votes: dict[str, bool], more: dict[str, bool], rule: Rule
) -> None:
    before = tally(electorate, votes, rule)
    after = tally(electorate, {**more, **votes}, rule)
    assert before is Outcome.OPEN or after is before


@given(st.sets(names, min_size=1), st.dictionaries(names, st.booleans()), st.sampled_from(Rule))
def test_everyone_having_voted_settles_it(electorate: set[str], votes: dict[str, bool], rule: Rule) -> None:
    full = {name: votes.get(name, False) for name in electorate}
    assert tally(electorate, full, rule) is not Outcome.OPEN
