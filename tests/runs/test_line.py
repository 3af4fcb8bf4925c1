"""The machine's line of runs: who is next among servers, who lost its place, who holds it."""

import os
import subprocess
import sys
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae.files import lock
from vae.runs.line import Line
from vae.servers import PlaceError, server_name, server_of_run, with_name


@pytest.fixture
def lines(tmp_path: Path) -> list[Line]:
    ticks = count()
    return [Line(lambda: tmp_path, clock=lambda: next(ticks)) for _ in range(3)]


def test_who_came_first_trains_first_whoever_serves_it(lines: list[Line]) -> None:
    one, two, three = lines
    assert one.stand(["a"], wants=True, trains=False).turn
    assert one.stand([], wants=False, trains=True) == one.stand([], wants=False, trains=True)
    assert two.stand(["b"], wants=True, trains=False).ahead == (1,)
    assert three.stand(["c"], wants=True, trains=False).ahead == (2,)
    assert one.stand(["d"], wants=False, trains=True).ahead == (3,)
    # The first is over: its own next one came last.
    place = one.stand(["d"], wants=True, trains=False)
    assert (place.ahead, place.others, place.turn) == ((2,), 2, False)
    assert not three.stand(["c"], wants=True, trains=False).turn
    assert two.stand(["b"], wants=True, trains=False).turn


def test_a_server_that_is_not_ready_keeps_its_place_and_others_theirs(lines: list[Line]) -> None:
    one, two, _ = lines
    assert not one.stand(["a"], wants=False, trains=False).turn
    assert not two.stand(["b"], wants=True, trains=False).turn
    assert one.stand(["a"], wants=True, trains=False).turn
    # Stopped at that very moment: the turn is the next one's.
    one.stand([], wants=False, trains=False)
    assert two.stand(["b"], wants=True, trains=False).turn


def test_a_run_that_leaves_takes_its_own_ticket_along(lines: list[Line]) -> None:
    one, two, _ = lines
    one.stand(["a"], wants=False, trains=False)
    two.stand(["b"], wants=False, trains=False)
    assert one.stand(["a", "c"], wants=False, trains=False).ahead == (0, 2)
    assert one.stand(["c"], wants=False, trains=False).ahead == (1,)
    one.leave()
    assert two.stand(["b"], wants=True, trains=False).turn


_TWO = """
import sys, time
from pathlib import Path
from vae.runs.line import Line
line = Line(lambda: Path(sys.argv[1]))
turn = line.stand(["a"], wants=True, trains=False).turn
line.stand(["b"], wants=False, trains=True)
print(turn, flush=True)
time.sleep(60)
"""


def test_a_killed_server_holds_up_nobody(tmp_path: Path) -> None:
    line = Line(lambda: tmp_path)
    other = subprocess.Popen(
        [sys.executable, "-c", _TWO, str(tmp_path)], stdout=subprocess.PIPE, env=os.environ
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"True\n"
    place = line.stand(["c"], wants=True, trains=False)
    assert (place.ahead, place.others, place.turn) == ((2,), 1, False)
    other.kill()
    other.wait(20)
    other.stdout.close()
    assert line.stand(["c"], wants=True, trains=False).turn


def test_a_folder_that_cannot_be_written_keeps_nobody_from_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = Line(lambda: tmp_path / "file")
    place = line.stand(["a", "b"], wants=True, trains=False)
    assert (place.ahead, place.others, place.turn) == ((0, 1), 0, True)


def test_somebody_who_looks_at_a_new_ticket_does_not_make_it_fail(tmp_path: Path) -> None:
    path = tmp_path / "ticket"
    with lock(path, shared=True) or pytest.fail("nobody has it"):
        assert lock(path, shared=False) is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["come", "go", "look", "end", "die"])),
        max_size=40,
    )
)
def test_one_trains_at_a_time_in_the_order_of_arrival(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("line")
    ticks = count()

    def build() -> Line:
        return Line(lambda: folder, clock=lambda: next(ticks))

    lines, waiting = [build() for _ in range(3)], [[], [], []]
    arrivals = count()
    trains: list[int | None] = [None, None, None]
    begun = []
    for who, act in acts:
        mine = waiting[who]
        if act == "come":
            mine.append(next(arrivals))
        elif act == "go" and mine:
            mine.pop()
        elif act == "end":
            trains[who] = None
        elif act == "die":
            # What the system does with the locks of a process that ended.
            lines[who].leave()
            lines[who], waiting[who], trains[who] = build(), [], None
            continue
        busy = trains[who] is not None
        names = [str(number) for number in mine]
        place = lines[who].stand(names, wants=not busy and bool(mine), trains=busy)
        if place.turn:
            trains[who] = mine.pop(0)
            begun.append((trains[who], [min(other) for other in waiting if other]))
            lines[who].stand(names[1:], wants=False, trains=True)
        assert sum(each is not None for each in trains) <= 1
        assert all(a < b for a, b in pairwise(place.ahead))
    for number, others in begun:
        assert number is not None
        # A run that came and was never looked for has no ticket: all here are looked for at once.
        assert all(number < other for other in others)


@pytest.mark.parametrize(
    ("run", "server"),
    [
        ("r1-" + 12 * "a", "r1"),
        (12 * "a", ""),
        ("shown-binary", ""),
        ("R1-" + 12 * "a", ""),
        ("", ""),
        ("r1-abc", ""),
    ],
)
def test_a_run_s_id_says_where_it_is(run: str, server: str) -> None:
    assert server_of_run(run) == server


def test_names_of_servers() -> None:
    assert server_name({}) == ""
    assert server_name({"VAE_SERVER_NAME": "r12"}) == "r12"
    with pytest.raises(PlaceError, match="VAE_SERVER_NAME: 'R 1' given"):
        server_name({"VAE_SERVER_NAME": "R 1"})
    assert with_name("", "x") == "x"
