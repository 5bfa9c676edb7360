"""Signing in by a login step: once for all who ask, again when the token ends, never in vain."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from console.errors import Invalid, PlatformRefused, PlatformUnavailable
from platforms.auth.base import Token
from platforms.auth.tokens import REFUSAL_SECONDS, TokenKeeper
from platforms.drivers.base import PartyCredential, trace_of
from tests.platforms.auth.small import ALICE, BOB, LOGIN, Platform, ask, driver_to
from tests.platforms.presets.standin import Reply


def test_twenty_callers_sign_in_once() -> None:
    with Platform() as platform:
        driver = driver_to(LOGIN, address=platform.address)
        together = threading.Barrier(20)

        def caller(_number: int) -> str:
            together.wait()
            return ask(driver, ALICE).status

        with ThreadPoolExecutor(20) as pool:
            assert list(pool.map(caller, range(20))) == ["up"] * 20
        assert len(platform.calls("POST", "/login")) == 1
        assert len(platform.calls("GET", "/health")) == 20
        driver.close()


def test_each_credential_has_its_own_token() -> None:
    """An organization's credential has no user name: its `ak` and `sk` stand for them."""
    with Platform() as platform:
        driver = driver_to(LOGIN, address=platform.address)
        assert [ask(driver, each).detail for each in (ALICE, BOB, ALICE, BOB)] == ["alice", "bob", "alice", "bob"]
        assert platform.given == 2
        driver.close()


def test_a_token_that_the_platform_forgot_is_renewed_once() -> None:
    with Platform() as platform:
        driver = driver_to(LOGIN, address=platform.address)
        ask(driver, ALICE)
        platform.valid.clear()
        assert ask(driver, ALICE).status == "up"
        assert [each.call for each in platform.seen] == [
            "POST /login",
            "GET /health",
            "GET /health",
            "POST /login",
            "GET /health",
        ]
        driver.close()


def test_a_platform_that_believes_no_token_is_not_asked_for_ever() -> None:
    with Platform() as platform:
        driver = driver_to(LOGIN, address=platform.address)
        ask(driver, ALICE)
        platform.instead("GET /health", Reply({"message": "no"}, 401), Reply({"message": "no"}, 401))
        with pytest.raises(PlatformRefused, match="no"):
            ask(driver, ALICE)
        assert platform.given == 2
        assert len(platform.calls("GET", "/health")) == 3
        driver.close()


def test_another_answer_than_401_can_mean_that_the_token_ended() -> None:
    auth = {**LOGIN, "renewWhen": [{"status": [401]}, {"$.body.code": [202052]}]}
    with Platform() as platform:
        driver = driver_to(auth, address=platform.address)
        ask(driver, ALICE)
        platform.instead("GET /health", Reply({"code": 202052}), Reply({"detail": "again"}))
        assert ask(driver, ALICE).detail == "again"
        assert platform.given == 2
        driver.close()


def test_a_wrong_password_is_said_without_it_and_not_tried_again_at_once() -> None:
    wrong = PartyCredential(username="alice", password="not-her-secret-word")
    with Platform() as platform:
        driver = driver_to(LOGIN, address=platform.address)
        problems = []
        for _again in range(3):
            with pytest.raises(PlatformRefused) as caught:
                ask(driver, wrong)
            problems.append(caught.value)
        assert {each.code for each in problems} == {"login_failed"}
        assert "wrong word •••••• for alice" in problems[0].detail
        assert all("not-her-secret-word" not in f"{each} {each.detail} {trace_of(each)}" for each in problems)
        assert len(platform.calls("POST", "/login")) == 1
        assert ask(driver, ALICE).status == "up"
        driver.close()


def test_a_login_that_the_platform_cannot_answer_now_is_for_later() -> None:
    with Platform() as platform:
        driver = driver_to(LOGIN, address=platform.address)
        platform.instead("POST /login", Reply({"message": "busy"}, 503))
        with pytest.raises(PlatformUnavailable):
            ask(driver, ALICE)
        assert ask(driver, ALICE).status == "up"
        driver.close()


def test_an_answer_without_a_token() -> None:
    with Platform() as platform:
        driver = driver_to(LOGIN, address=platform.address)
        platform.instead("POST /login", Reply({"token": ""}))
        with pytest.raises(PlatformRefused, match="holds no token"):
            ask(driver, ALICE)
        driver.close()


def test_the_login_may_stand_on_another_address() -> None:
    auth = {**LOGIN, "tokenAddress": "identity"}
    with Platform() as platform, Platform() as identity:
        driver = driver_to(auth, address=platform.address, identity=identity.address)
        platform.valid = identity.valid
        assert ask(driver, ALICE).status == "up"
        assert [each.call for each in identity.seen] == ["POST /login"]
        assert [each.call for each in platform.seen] == ["GET /health"]
        driver.close()


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ({**LOGIN, "tokenAddress": "identity"}, "auth.tokenAddress: the mapping has no address identity"),
        ({"cloud": {**LOGIN, "address": "there"}}, "auth.cloud.address: the mapping has no address there"),
    ],
)
def test_an_address_that_nobody_gave(auth: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as caught:
        driver_to(auth, address="http://127.0.0.1:1")
    assert caught.value.errors == {"mapping": [words]}


@pytest.mark.parametrize("address", ["ftp://x", "https://user:word@x", "https://x/?a=1", "//x", "https://"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(Invalid, match=r"addresses\.identity"):
        driver_to(LOGIN, address="http://127.0.0.1:1", identity=address)


def test_the_mapping_cannot_move_a_registered_address() -> None:
    with pytest.raises(Invalid, match="addresses"):
        driver_to(LOGIN, address="http://127.0.0.1:1", default="http://127.0.0.1:2")


# --- the keeper alone, with a clock of its own ------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("token", "lifetime", "good_for"),
    [
        (Token("t", 3600.0), None, 3570.0),
        (Token("t", 60.0), None, 54.0),
        (Token("t"), 1000.0, 970.0),
        (Token("t"), None, 570.0),
    ],
)
def test_renewed_before_its_end(token: Token, lifetime: float | None, good_for: float) -> None:
    clock, asked = Clock(), []

    def fetch() -> Token:
        asked.append(clock.now)
        return token

    keeper = TokenKeeper(clock)
    for clock.now in (0.0, good_for - 0.1, good_for + 0.1):
        keeper.token("alice", fetch, lifetime=lifetime)
    assert asked == [0.0, good_for + 0.1]


def test_a_refusal_is_remembered_for_a_while() -> None:
    clock, asked = Clock(), []

    def fetch() -> Token:
        asked.append(clock.now)
        raise PlatformRefused("wrong password", code="login_failed")

    keeper = TokenKeeper(clock)
    for clock.now in (0.0, REFUSAL_SECONDS - 0.1, REFUSAL_SECONDS + 0.1):
        with pytest.raises(PlatformRefused, match="wrong password"):
            keeper.token("alice", fetch)
    assert asked == [0.0, REFUSAL_SECONDS + 0.1]


def test_of_many_who_find_a_token_stale_one_renews_it() -> None:
    keeper, made = TokenKeeper(), []

    def fetch() -> Token:
        made.append(f"t{len(made)}")
        return Token(made[-1], 3600.0)

    stale, _fresh = keeper.token("alice", fetch)
    together = threading.Barrier(10)

    def renew(_number: int) -> str:
        together.wait()
        return keeper.token("alice", fetch, stale=stale)[0]

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(renew, range(10))) == {"t1"}
    assert made == ["t0", "t1"]
