"""Rooms as a machine: counts, rounds, rights, bounds, and time to live, without a clock."""

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vae.rooms import machine
from vae.rooms.advice import advise
from vae.rooms.machine import (
    Again,
    Ask,
    Close,
    End,
    Follow,
    Forget,
    NoRoom,
    NotNow,
    NotTeacher,
    Open,
    Phase,
    Refuse,
    Reveal,
    Rooms,
    Show,
    TooMany,
    Vote,
)
from vae.rooms.machine import Look as LookAt


def do(rooms: Rooms, event: machine.Event, now: float = 0.0) -> machine.View:
    """The view after an event that is allowed."""
    action = rooms.handle(event, now)[-1]
    assert isinstance(action, Show), action
    return action.view


def refused(rooms: Rooms, event: machine.Event, now: float = 0.0) -> machine.RoomError:
    action = rooms.handle(event, now)[-1]
    assert isinstance(action, Refuse), action
    return action.error


def asked() -> Rooms:
    rooms = Rooms()
    do(rooms, Open("abc", "teacher"))
    do(rooms, Ask("abc", "teacher", "derivation-sigma", 3))
    return rooms


def test_two_rounds_and_a_reveal():
    rooms = asked()
    for voter, choice in (("a", 0), ("b", 0), ("c", 1)):
        view = do(rooms, Vote("abc", voter, 1, choice))
        # Nobody is told how it stands while the vote is open.
        assert view.counts == ()
    assert view.votes == 3
    assert do(rooms, Close("abc", "teacher")).counts == ((2, 1, 0),)
    view = do(rooms, Again("abc", "teacher"))
    assert (view.round, view.votes, view.counts) == (2, 0, ((2, 1, 0),))
    # The same browsers vote once more.
    for voter in ("a", "b", "c"):
        do(rooms, Vote("abc", voter, 2, 1))
    do(rooms, Close("abc", "teacher"))
    view = do(rooms, Reveal("abc", "teacher"))
    assert view.phase is Phase.REVEALED
    assert view.counts == ((2, 1, 0), (0, 3, 0))
    assert isinstance(refused(rooms, Again("abc", "teacher")), NotNow)
    # The next question begins with no counts.
    view = do(rooms, Ask("abc", "teacher", "bias-noise", 2))
    assert (view.counts, view.votes, view.round) == ((), 0, 1)


def test_a_browser_has_one_vote_a_round_and_none_in_a_round_that_is_over():
    rooms = asked()
    do(rooms, Vote("abc", "a", 1, 0))
    assert rooms.has_voted("abc", "a")
    assert isinstance(refused(rooms, Vote("abc", "a", 1, 1)), NotNow)
    assert isinstance(refused(rooms, Vote("abc", "b", 2, 1)), NotNow)
    assert isinstance(refused(rooms, Vote("abc", "b", 1, 3)), NotNow)
    do(rooms, Close("abc", "teacher"))
    assert isinstance(refused(rooms, Vote("abc", "b", 1, 1)), NotNow)


@pytest.mark.parametrize(
    "event",
    [
        Ask("abc", "student", "bias-noise", 2),
        Close("abc", "student"),
        Again("abc", "student"),
        Reveal("abc", "student"),
        Follow("abc", "student", "run"),
        End("abc", "student"),
    ],
)
def test_only_the_teacher_leads(event):
    rooms = asked()
    before = do(rooms, LookAt("abc"))
    assert isinstance(refused(rooms, event), NotTeacher)
    assert do(rooms, LookAt("abc")) == before


def test_rooms_are_bounded_and_end():
    rooms = Rooms()
    for number in range(machine.MOST_ROOMS):
        do(rooms, Open(str(number), "t"))
    assert isinstance(refused(rooms, Open("more", "t")), TooMany)
    assert rooms.handle(End("0", "t"), 0.0) == [Forget("0")]
    do(rooms, Open("more", "t"))
    assert isinstance(refused(rooms, Open("more", "t")), NotNow)
    assert isinstance(refused(rooms, LookAt("0")), NoRoom)


def test_a_room_that_nobody_looks_at_is_gone_and_one_that_is_used_stays():
    rooms = asked()
    do(rooms, Open("used", "t"))
    late = machine.LIVES_SECONDS
    do(rooms, LookAt("used"), late)
    assert rooms.handle(machine.Tick(), late + 1) == [Forget("abc")]
    assert isinstance(refused(rooms, LookAt("abc"), late + 1), NoRoom)
    do(rooms, LookAt("used"), late + 1)


def test_votes_are_bounded(monkeypatch):
    monkeypatch.setattr(machine, "MOST_VOTES", 3)
    rooms = asked()
    for voter in "abc":
        do(rooms, Vote("abc", voter, 1, 0))
    assert isinstance(refused(rooms, Vote("abc", "d", 1, 0)), TooMany)


def test_a_room_is_told_what_run_its_teacher_looks_at():
    rooms = asked()
    assert do(rooms, Follow("abc", "teacher", "r1")).run == "r1"
    assert do(rooms, LookAt("abc")).run == "r1"


def test_a_view_says_nothing_about_a_person():
    names = {field.name for field in fields(machine.View)}
    assert names == {"code", "question", "phase", "round", "votes", "counts", "run"}


class Classroom(RuleBasedStateMachine):
    """Any order of events keeps the counts those of the votes that were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms = Rooms()
        do(self.rooms, Open("abc", "t"))
        self.taken: list[dict[str, int]] = []
        self.phase = Phase.IDLE

    @rule()
    def ask(self) -> None:
        do(self.rooms, Ask("abc", "t", "q", 3))
        self.taken, self.phase = [{}], Phase.OPEN

    @rule(voter=st.sampled_from("abcde"), choice=st.integers(-1, 3), round=st.integers(0, 3))
    def vote(self, voter: str, choice: int, round: int) -> None:
        action = self.rooms.handle(Vote("abc", voter, round, choice), 0.0)[-1]
        fits = self.phase is Phase.OPEN and round == len(self.taken) and 0 <= choice < 3
        if fits and voter not in self.taken[-1]:
            assert isinstance(action, Show)
            self.taken[-1][voter] = choice
        else:
            assert isinstance(action, Refuse)

    @precondition(lambda self: self.phase is Phase.OPEN)
    @rule()
    def close(self) -> None:
        do(self.rooms, Close("abc", "t"))
        self.phase = Phase.CLOSED

    @precondition(lambda self: self.phase is Phase.CLOSED and len(self.taken) < 2)
    @rule()
    def again(self) -> None:
        do(self.rooms, Again("abc", "t"))
        self.taken.append({})
        self.phase = Phase.OPEN

    @precondition(lambda self: self.phase is Phase.CLOSED)
    @rule()
    def reveal(self) -> None:
        do(self.rooms, Reveal("abc", "t"))
        self.phase = Phase.REVEALED

    @invariant()
    def counts_are_those_of_the_votes(self) -> None:
        view = do(self.rooms, LookAt("abc"))
        known = self.taken[:-1] if self.phase is Phase.OPEN else self.taken
        counts = tuple(tuple([*each.values()].count(i) for i in range(3)) for each in known)
        assert view.counts == counts
        assert view.phase is self.phase
        assert view.votes == (len(self.taken[-1]) if self.taken else 0)


TestClassroom = Classroom.TestCase
TestClassroom.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@given(right=st.integers(0, 1000), wrong=st.integers(0, 1000))
def test_the_advice_is_that_of_the_review(right, wrong):
    text = advise([wrong, right], 1)
    if right + wrong == 0:
        assert text == ""
    elif right / (right + wrong) < 0.35:
        assert "Explain" in text
    elif right / (right + wrong) <= 0.70:
        assert "neighbours" in text
    else:
        assert "Go on" in text
