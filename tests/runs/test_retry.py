"""RetryPolicy with a Moodle that doesn't answer."""

from __future__ import annotations

import pytest

from sync.errors import MoodleUnavailable
from sync.runs import retry as waiting
from sync.runs.retry import RetryPolicy

AWAY = MoodleUnavailable("moodle_unavailable", reason="gone")


class Clock:
    """A clock that only goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def pauses(retry_policy: RetryPolicy, clock: Clock, tries: int) -> list[float]:
    taken = []
    for attempt in range(1, tries + 1):
        began = clock.now
        retry_policy.wait(AWAY, attempt)
        taken.append(round(clock.now - began, 3))
    return taken


def test_pauses_double_up_to_a_minute(clock: Clock) -> None:
    retry_policy = RetryPolicy(600, lambda: None, lambda _seconds: None)
    assert pauses(retry_policy, clock, 8) == [2, 4, 8, 16, 32, 60, 60, 60]


def test_after_the_time_is_used_up_the_error_comes_out(clock: Clock) -> None:
    retry_policy = RetryPolicy(10, lambda: None, lambda _seconds: None)
    assert pauses(retry_policy, clock, 3) == [2, 4, 4]
    with pytest.raises(MoodleUnavailable):
        retry_policy.wait(AWAY, 4)


def test_a_second_time_away_has_the_whole_time_again(clock: Clock) -> None:
    retry_policy = RetryPolicy(10, lambda: None, lambda _seconds: None)
    pauses(retry_policy, clock, 3)
    assert pauses(retry_policy, clock, 3) == [2, 4, 4]


@pytest.mark.parametrize("code", ["moodle_url_invalid", "moodle_url_unsupported"])
def test_what_waiting_does_not_mend_is_told_at_once(clock: Clock, code: str) -> None:
    with pytest.raises(MoodleUnavailable):
        RetryPolicy(600, lambda: None, lambda _seconds: None).wait(MoodleUnavailable(code), 1)
    assert clock.now == 100


def test_waiting_can_be_interrupted_within_a_second(clock: Clock) -> None:
    def interrupt(_seconds: float) -> None:
        if clock.now >= 103:
            raise KeyboardInterrupt

    retry_policy = RetryPolicy(600, lambda: None, interrupt)
    retry_policy.wait(AWAY, 1)
    with pytest.raises(KeyboardInterrupt):
        retry_policy.wait(AWAY, 2)
    assert clock.now == 103


def test_the_beginning_is_told_once(clock: Clock) -> None:
    told: list[float] = []
    pauses(RetryPolicy(600, lambda: told.append(clock.now), lambda _seconds: None), clock, 3)
    assert told == [100]


def test_of_a_run_that_was_put_back_the_time_goes_on(clock: Clock) -> None:
    retry_policy = RetryPolicy(10, lambda: None, lambda _seconds: None, waited=7)
    assert pauses(retry_policy, clock, 2) == [2, 1]
    with pytest.raises(MoodleUnavailable):
        retry_policy.wait(AWAY, 3)


def test_whoever_may_interrupt_is_told_how_long_it_lasts(clock: Clock) -> None:
    told: list[float] = []
    retry_policy = RetryPolicy(600, lambda: None, told.append)
    pauses(retry_policy, clock, 2)
    assert told == [0, 1, 2, 3, 4, 5]
