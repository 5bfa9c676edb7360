"""Sentences that were kept in English are told in the reader's language, also when values have filled them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation
from django.utils.translation import gettext

from console.errors import PlatformUnavailable
from console.models import Notification
from console.sentences import kept, told
from platforms.http import NOT_JSON, UNREACHABLE
from platforms.mapping.values import Unfit


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


def test_a_sentence_without_values() -> None:
    assert told("Cancelled by an operator.") == gettext("Cancelled by an operator.") != "Cancelled by an operator."


def test_the_values_stand_in_the_translation() -> None:
    text = NOT_JSON % {"address": "http://10.0.0.5:8080", "status": 200}
    assert told(text) == gettext(NOT_JSON) % {"address": "http://10.0.0.5:8080", "status": 200} != text


def test_a_sentence_within_a_sentence_is_told_as_well() -> None:
    inner = gettext("the call took too long")
    text = UNREACHABLE % {"address": "http://a", "problem": "the call took too long"}
    assert told(text) == gettext(UNREACHABLE) % {"address": "http://a", "problem": inner}


def test_a_place_before_the_sentence_stays() -> None:
    text = str(Unfit("create_network.result", "an object is expected"))
    assert told(f"create_network.create: {text}").startswith("create_network.create: create_network.result: ")
    assert told(text).endswith(gettext("an object is expected"))


def test_each_line_by_itself() -> None:
    assert told("Not found\nwhat nobody knows") == f"{gettext('Not found')}\nwhat nobody knows"


@pytest.mark.parametrize("text", ["", "No room left.", "a: b", "：%(name)s", "ü cannot be", "%s", ": : :", "\n"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert told(text) == text


def test_what_says_nothing_itself_cannot_be_known_again() -> None:
    with pytest.raises(ValueError, match="too little"):
        kept("%(one)s on %(other)s")


def test_a_name_is_never_translated() -> None:
    assert "Members" in told(UNREACHABLE % {"address": "Members", "problem": "x"})


def test_english_readers_read_what_was_written() -> None:
    with translation.override("en"):
        text = UNREACHABLE % {"address": "http://a", "problem": "refused"}
        assert told(text) == text


def test_a_notification_tells_its_reason_and_leaves_its_names_alone() -> None:
    notification = Notification(
        title="“%(subject)s” was stopped",
        body="Reason: %(reason)s",
        parameters={"subject": "Members", "reason": "Cancelled by an operator."},
    )
    assert "Members" in notification.title_text
    assert gettext("Cancelled by an operator.") in notification.body_text


def test_an_error_keeps_english(settings: object) -> None:
    assert (
        PlatformUnavailable(UNREACHABLE % {"address": "a", "problem": "b"}).as_dict()["detail"].startswith("a cannot")
    )
