"""What the proxy is told, and what happens to servers over time: nothing is started here."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae.cli import main
from vae.serve.proxy import Front, Replica, configuration, local_replicas
from vae.serve.shell import ServeError, find_proxy
from vae.serve.supervisor import (
    DRAIN_SECONDS,
    SILENCE_SECONDS,
    START_SECONDS,
    STOP_SECONDS,
    Close,
    Ended,
    Event,
    Healthy,
    Kill,
    Lead,
    Say,
    Standing,
    Start,
    Stop,
    Supervisor,
    Tick,
    Update,
    Visitors,
)

TWO = local_replicas(2, 8601)


def test_links_lead_before_cookies_do() -> None:
    lines = configuration(TWO, Front(":8501")).splitlines()
    rules = [line.split() for line in lines if line.strip().startswith("use-server")]
    assert [rule[1] for rule in rules] == ["r1", "r2"] * 5
    conditions = [" ".join(rule[3:]) for rule in rules]
    assert conditions[0] == "{ url_param(room) -i -m beg r1- }"
    assert conditions[3] == "{ url_param(run) -i -m beg r2- }"
    assert all("url_param" in each or "/room/" in each for each in conditions[:6])
    assert all("req.cook(vae_server" in each for each in conditions[6:])


@pytest.mark.parametrize(
    "front",
    [
        Front(":8501"),
        Front("127.0.0.1:8501", admin="/tmp/with space/admin.sock"),
        Front(":8501", base="/course/vae/"),
    ],
)
def test_the_proxy_takes_its_configuration(front: Front, tmp_path) -> None:
    try:
        program = find_proxy()
    except ServeError as error:
        pytest.skip(str(error))
    file = tmp_path / "haproxy.cfg"
    file.write_text(configuration(local_replicas(12, 9001), front), encoding="utf-8")
    done = subprocess.run([program, "-c", "-f", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_lies_below_a_path_is_found_there() -> None:
    text = configuration(TWO, Front(":8501", base="/course"))
    assert "GET /course/_stcore/health" in text
    assert "path_beg -i /course/room/r2- /course/drawing/weights/run-r2- }" in text
    assert "path_beg /course/media/" in text


@pytest.mark.parametrize(
    ("name", "address"),
    [("R1", "h:1"), ("r 1", "h:1"), ("r1", "h"), ("r1", "h:0"), ("r1", "h:1\n"), ("r1", 'a"b:1')],
)
def test_a_server_that_would_be_another_line_is_refused(name: str, address: str) -> None:
    with pytest.raises(ValueError, match="given; allowed"):
        Replica(name, address)


def test_names_and_paths_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="each with its name"):
        configuration((TWO[0], TWO[0]), Front(":1"))
    with pytest.raises(ValueError, match="each with its name"):
        configuration((), Front(":1"))
    with pytest.raises(ValueError, match="line breaks"):
        configuration(TWO, Front(":1", admin="a\nb"))


def test_the_command_prints_what_another_s_proxy_needs(capsys) -> None:
    servers = ["--server", "a=vae-0.vae:8501", "--server", "b=vae-1.vae:8501"]
    assert main(["serve", "--print-config", *servers]) == 0
    printed = capsys.readouterr().out
    assert "server a vae-0.vae:8501" in printed
    assert "stats socket" not in printed
    assert main(["serve", "--print-config", "--server", "a"]) == 2
    assert "--server: 'a' given; allowed is NAME=HOST:PORT" in capsys.readouterr().err
    assert main(["serve", "--server", "a=b:1"]) == 2
    assert "--print-config" in capsys.readouterr().err
    assert main(["serve", "--certificate", "/nowhere.pem"]) == 2
    assert "there is no such file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["serve", "--replicas", "0"])
    assert "'0' given; allowed is 1 to 64" in capsys.readouterr().err


class Machine:
    """A supervisor and its clock; processes do as they are told where a test says so."""

    def __init__(self, count: int = 2) -> None:
        self.names = [f"r{number}" for number in range(1, count + 1)]
        self.supervisor = Supervisor(self.names)
        self.now = 100.0
        self.tell(Tick())

    def tell(self, event: Event, seconds: float = 0.0) -> list:
        self.now += seconds
        said = self.supervisor.handle(event, self.now)
        return [action for action in said if not isinstance(action, Say)]

    def up(self) -> "Machine":
        for name in self.names:
            self.tell(Healthy(name))
        return self

    def well(self, seconds: float, *names: str) -> list:
        """Let time pass in which these servers answer."""
        said = []
        for _ in range(int(seconds)):
            said += self.tell(Tick(), 1.0)
            for name in names:
                said += self.tell(Healthy(name))
        return said


def test_visitors_are_led_to_a_server_that_answers() -> None:
    machine = Machine()
    assert machine.supervisor.standings == dict.fromkeys(["r1", "r2"], Standing.STARTING)
    assert machine.tell(Healthy("r2")) == [Lead("r2", True)]
    assert machine.tell(Healthy("r2")) == []


def test_a_server_that_ends_is_started_again_after_a_pause_that_grows() -> None:
    machine = Machine().up()
    pauses = []
    for _ in range(9):
        machine.tell(Ended("r1"))
        waited = 0
        while Start("r1") not in machine.tell(Tick(), 1.0):
            machine.tell(Healthy("r2"))
            waited += 1
        pauses.append(waited + 1)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    machine.tell(Healthy("r1"))
    machine.tell(Ended("r1"))
    assert Start("r1") in machine.tell(Tick(), 1.0)


def test_a_server_that_hangs_is_ended_once() -> None:
    machine = Machine().up()
    said = machine.well(SILENCE_SECONDS + 5, "r2")
    assert said == [Kill("r1")]
    slow = Machine()
    assert slow.well(START_SECONDS - 1) == []
    assert slow.well(1) == [Kill("r1"), Kill("r2")]


def test_who_was_held_itself_blames_no_server() -> None:
    machine = Machine().up()
    machine.tell(Healthy("r2"), SILENCE_SECONDS / 2)
    # It slept, then hears of what happened meanwhile before it asks anybody.
    assert machine.tell(Ended("r1"), 100 * SILENCE_SECONDS) == []
    assert machine.supervisor.standings["r2"] is Standing.UP
    assert machine.tell(Tick(), 1.0) == [Start("r1")]
    machine.tell(Healthy("r2"))
    assert machine.well(SILENCE_SECONDS + 1, "r1") == [Lead("r1", True), Kill("r2")]


def test_an_update_takes_one_server_after_another() -> None:
    machine = Machine(3).up()
    assert machine.tell(Update()) == [Lead("r1", False)]
    machine.tell(Update())
    assert machine.well(60, "r2", "r3") == [], "its visitors may stay"
    assert machine.tell(Visitors("r1", 3)) == []
    assert machine.tell(Visitors("r1", 0)) == [Stop("r1")]
    assert machine.tell(Ended("r1")) == [Start("r1")]
    assert machine.tell(Healthy("r1")) == [Lead("r1", True), Lead("r2", False)]
    # Somebody stays for ever.
    assert machine.tell(Visitors("r2", 1)) == []
    assert machine.well(DRAIN_SECONDS, "r1", "r3") == [Stop("r2")]
    assert machine.well(STOP_SECONDS, "r1", "r3") == [Kill("r2")]
    machine.tell(Ended("r2"))
    assert machine.tell(Healthy("r2")) == [Lead("r2", True), Lead("r3", False)]
    machine.tell(Visitors("r3", 0))
    machine.tell(Ended("r3"))
    # It was asked for a second time while r1 was away already: once more for that one alone.
    assert machine.tell(Healthy("r3")) == [Lead("r3", True), Lead("r1", False)]


def test_one_server_alone_is_updated_at_once() -> None:
    machine = Machine(1).up()
    assert machine.tell(Update()) == [Lead("r1", False)]
    assert machine.tell(Tick()) == [Stop("r1")]
    machine.tell(Ended("r1"))
    assert machine.tell(Healthy("r1")) == [Lead("r1", True)]


def test_the_end_is_asked_for_once_and_waited_for() -> None:
    machine = Machine().up()
    machine.tell(Update())
    assert machine.tell(Close()) == [Stop("r1"), Stop("r2")]
    assert machine.tell(Close()) == []
    machine.tell(Ended("r1"))
    assert not machine.supervisor.over
    machine.tell(Ended("r2"))
    assert machine.supervisor.over
    assert machine.well(1000) == []


_EVENTS = st.one_of(
    st.sampled_from(["r1", "r2", "r3"]).flatmap(
        lambda name: st.sampled_from([Healthy(name), Ended(name), Visitors(name, 0)])
    ),
    st.sampled_from([Tick(), Update()]),
)


@given(st.lists(st.tuples(_EVENTS, st.floats(0, 200)), max_size=60))
def test_whatever_happens_an_update_takes_one_server_at_a_time(
    events: list[tuple[Event, float]],
) -> None:
    machine = Machine(3)
    running = {"r1", "r2", "r3"}
    for event, seconds in events:
        if isinstance(event, Ended) and event.name not in running:
            continue
        if isinstance(event, Ended):
            running.discard(event.name)
        for action in machine.tell(event, seconds):
            if isinstance(action, Start):
                assert action.name not in running, "no server is started twice"
                running.add(action.name)
        away = [s for s in machine.supervisor.standings.values() if s is Standing.DRAINING]
        assert len(away) <= 1
