"""The counting of votes, by example and by property."""

from __future__ import annotations

import itertools

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


@pytest.mark.parametrize(
    ("size", "threshold", "agree", "refuse", "outcome"),
    [
        (5, 60, 3, 0, Outcome.CARRIED),
        (5, 60, 2, 2, Outcome.OPEN),
        (5, 60, 2, 3, Outcome.REFUSED),
        (3, 67, 2, 0, Outcome.OPEN),  # 2.01 of 3: all three
        (3, 67, 2, 1, Outcome.REFUSED),
        (3, 66, 2, 0, Outcome.CARRIED),
        (4, 1, 1, 0, Outcome.CARRIED),
        (4, 100, 3, 0, Outcome.OPEN),
        (4, 100, 0, 1, Outcome.REFUSED),
    ],
)
def test_a_share(size: int, threshold: int, agree: int, refuse: int, outcome: Outcome) -> None:
    electorate = "abcdef"[:size]
    votes = {name: number < agree for number, name in enumerate(electorate[: agree + refuse])}
    assert tally(electorate, votes, Rule.THRESHOLD, threshold) is outcome


names = st.sampled_from("abcdef")
rules = st.one_of(
    st.tuples(st.sampled_from([Rule.EVERYONE, Rule.MAJORITY]), st.none()),
    st.tuples(st.just(Rule.THRESHOLD), st.integers(1, 100)),
)
votes_of = st.dictionaries(names, st.booleans())


@given(st.sets(names, min_size=1, max_size=5), votes_of, rules)
def test_it_is_decided_as_early_as_it_is_certain(
    electorate: set[str], votes: dict[str, bool], rule: tuple[str, int | None]
) -> None:
    """Whatever the others say, the outcome is the same: then, and only then, it is decided, either way."""
    silent = sorted(electorate - set(votes))
    ends = {
        tally(electorate, {**votes, **dict(zip(silent, answers, strict=True))}, *rule)
        for answers in itertools.product([True, False], repeat=len(silent))
    }
    assert tally(electorate, votes, *rule) is (ends.pop() if len(ends) == 1 else Outcome.OPEN)


@given(st.sets(names, min_size=1), votes_of, rules, names)
def test_one_more_yes_never_refuses_and_one_more_no_never_carries(
    electorate: set[str], votes: dict[str, bool], rule: tuple[str, int | None], who: str
) -> None:
    worth = {Outcome.REFUSED: 0, Outcome.OPEN: 1, Outcome.CARRIED: 2}
    with_no, without, with_yes = (
        worth[tally(electorate, each, *rule)]
        for each in ({**votes, who: False}, {k: v for k, v in votes.items() if k != who}, {**votes, who: True})
    )
    assert with_no <= without <= with_yes


@given(st.sets(names, min_size=1), votes_of)
def test_a_share_of_all_is_everyone(electorate: set[str], votes: dict[str, bool]) -> None:
    assert tally(electorate, votes, Rule.THRESHOLD, 100) is tally(electorate, votes, Rule.EVERYONE)


@given(st.sets(names), votes_of, votes_of, rules)
def test_a_settled_outcome_never_changes(
    electorate: set[str], votes: dict[str, bool], more: dict[str, bool], rule: tuple[str, int | None]
) -> None:
    before = tally(electorate, votes, *rule)
    after = tally(electorate, {**more, **votes}, *rule)
    assert before is Outcome.OPEN or after is before


@given(st.sets(names, min_size=1), votes_of, rules)
def test_everyone_having_voted_settles_it(
    electorate: set[str], votes: dict[str, bool], rule: tuple[str, int | None]
) -> None:
    full = {name: votes.get(name, False) for name in electorate}
    assert tally(electorate, full, *rule) is not Outcome.OPEN
