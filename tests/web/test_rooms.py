"""A room through its routes: who may do what, and what each browser is told."""

import asyncio
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from page_runs import open_app
from starlette.routing import Router

from vae.quiz import SECTIONS
from vae.rooms.place import Place, PlaceError, load_place, read_code
from vae.web.gate import is_open
from vae.web.rooms import hall
from vae.web.rooms.catalogue import catalogue
from vae.web.rooms.hall import Hall
from vae.web.rooms.routes import room_routes
from vae.web.train import loss, shown, verdict

QUESTION = "derivation-sigma"


@pytest.fixture(autouse=True)
def _rooms(monkeypatch) -> None:
    """A hall of its own for each test."""
    monkeypatch.setattr(hall, "_hall", Hall(Place()))


def ask(
    path: str,
    who: str = "",
    *,
    method: str = "POST",
    ours: bool = True,
    query: str = "",
    host: str = "a.example",
) -> tuple[int, Any]:
    """Status and body of a request of the browser whose cookie is ``who``."""
    sent: list[dict[str, Any]] = []
    headers = [(b"cookie", f"vae_key={who * 24}".encode())] if who else []
    headers.append((b"host", host.encode()))
    if ours:
        headers.append((b"x-room", b"1"))
    scope = {
        "type": "http", "method": method, "path": path, "headers": headers,
        "query_string": query.encode(), "root_path": "",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        raise AssertionError("a room reads no body")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(Router(routes=room_routes())(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    kind = dict(sent[0]["headers"]).get(b"content-type", b"")
    return sent[0]["status"], json.loads(body) if kind == b"application/json" else body.decode()


def opened() -> str:
    status, told = ask("/room/open", "t")
    assert status == 200
    return str(told["code"])


def test_a_class_votes_twice_and_sees_the_counts_only_when_they_are_revealed():
    code = opened()
    assert ask(f"/room/{code}/ask/{QUESTION}", "t")[0] == 200
    right = SECTIONS[QUESTION].answer
    for who, choice in (("a", 0), ("b", 0), ("c", right)):
        status, told = ask(f"/room/{code}/vote/1/{choice}", who)
        assert (status, told["voted"], told["counts"]) == (200, True, [])
        assert "answer" not in told["question"]
    assert ask(f"/room/{code}/vote/1/0", "a")[0] == 409
    told = ask(f"/room/{code}/close", "t")[1]
    assert told["counts"] == [[2, 1, 0]]
    assert "Explain first" in told["advice"]
    student = ask(f"/room/{code}", "a", method="GET")[1]
    assert (student["counts"], student["advice"], student["teacher"]) == ([], "", False)
    assert ask(f"/room/{code}/again", "t")[1]["round"] == 2
    for who in "abc":
        ask(f"/room/{code}/vote/2/{right}", who)
    assert "Go on" in ask(f"/room/{code}/close", "t")[1]["advice"]
    ask(f"/room/{code}/reveal", "t")
    student = ask(f"/room/{code}", "d", method="GET")[1]
    assert student["counts"] == [[2, 1, 0], [0, 3, 0]]
    assert student["question"]["answer"] == right
    assert ask(f"/room/{code}/end", "t") == (200, {})
    status, told = ask(f"/room/{code}", "a", method="GET")
    assert status == 404
    assert "over" in told["message"]


def test_students_lead_nothing_and_other_sites_say_nothing():
    code = opened()
    for move in (f"ask/{QUESTION}", "close", "again", "reveal", "end", "follow/r1"):
        assert ask(f"/room/{code}/{move}", "a")[0] == 409
        assert ask(f"/room/{code}/{move}", "t", ours=False)[0] == 403
    assert ask("/room/open", "t", ours=False)[0] == 403
    assert ask(f"/room/{code}/ask/none", "t")[0] == 404
    assert ask(f"/room/{code}/dance", "t")[0] == 404
    assert ask(f"/room/{code}/follow/r1", "t")[1]["run"] == "r1"
    assert ask(f"/room/{code}/follow/none", "t")[1]["run"] == ""


def test_a_teacher_has_one_room():
    first, second = opened(), opened()
    assert first != second
    assert ask(f"/room/{first}", "t", method="GET")[0] == 404
    assert ask(f"/room/{second}", "t", method="GET")[1]["teacher"]


def test_a_server_that_was_restarted_knows_no_room_and_says_so(monkeypatch):
    code = opened()
    monkeypatch.setattr(hall, "_hall", Hall(Place()))
    status, told = ask(f"/room/{code}", "a", method="GET")
    assert status == 404
    assert told["message"] == "This room is over. A teacher opens another one."
    assert ask(f"/room/{code}/vote/1/0", "a")[0] == 404


def test_a_code_names_its_server_and_another_server_says_so():
    place = Place("b", "https://b.example")
    code = place.new_code()
    assert code.startswith("b-")
    assert place.has(code)
    assert not Place("c").has(code)
    with pytest.raises(RuntimeError, match="another server"):
        Hall(Place("c")).look(code, "key")
    assert read_code(f" {code.upper()} ") == code
    assert [read_code(text) for text in ("", "abc", "<b>", "a" * 50)] == [""] * 4


def test_one_server_of_several_opens_rooms_at_its_own_address_alone(monkeypatch):
    monkeypatch.setattr(hall, "_hall", Hall(Place("b", "https://b.example")))
    told = ask("/room/open", "t", host="all.example")[1]
    assert told == {"code": "", "url": "https://b.example"}
    assert ask("/room/open", "t", host="b.example")[1]["code"].startswith("b-")


@pytest.mark.parametrize(
    "bad", [{"VAE_SERVER_NAME": "A B"}, {"VAE_SERVER_URL": "javascript:alert(1)"}]
)
def test_a_wrong_place_is_refused_at_start(bad):
    [name] = bad
    with pytest.raises(PlaceError, match=name):
        load_place(bad)
    assert load_place({}) == Place()
    assert load_place({"VAE_SERVER_URL": "https://a.b/c/"}).url == "https://a.b/c"


def test_the_gate_lets_a_rooms_requests_in_and_no_others():
    for path in ("/room/open", "/base/room/b-BCDFG/vote/1/0", "/room/BCDFG/close"):
        assert is_open("POST", path)
    for path in ("/", "/room", "/room/", "/room/a/../b", "/room/a/b/c/d/e", "/train"):
        assert not is_open("POST", path)


def test_every_question_that_can_be_asked_has_choices_replies_and_a_place(monkeypatch):
    def draw(*_args: object, **_settings: object) -> None:
        raise AssertionError("pictures are drawn while a class waits")

    # A room is asked for between two requests of others.
    monkeypatch.setattr(loss, "load_images", draw)
    loss._summary.cache_clear()
    catalogue.cache_clear()
    known = catalogue()
    assert set(SECTIONS) < set(known)
    assert "train-pixel-mean" in known
    for asked in known.values():
        assert len(asked.choices) == len(asked.replies) >= 2
        assert asked.answer is None or 0 <= asked.answer < len(asked.choices)
    assert known["train-pixel-mean"].choices[known["train-pixel-mean"].answer] == "0"


def revealed(question: str, run: str) -> dict[str, Any]:
    code = opened()
    ask(f"/room/{code}/ask/{question}", "t")
    ask(f"/room/{code}/vote/1/0", "a")
    ask(f"/room/{code}/follow/{run}", "t")
    closed = ask(f"/room/{code}/close", "t")[1]
    ask(f"/room/{code}/reveal", "t")
    told = ask(f"/room/{code}", "a", method="GET")[1]
    return {**told["question"], "advice": closed["advice"]}


def test_what_is_right_is_what_the_run_that_the_room_follows_kept():
    snapshot = shown.look("shown-race")
    best = min(snapshot.members, key=lambda member: member.epochs[-1].test_mse)
    told = revealed("train-race", "shown-race")
    likelihoods = [member.config.likelihood for member in snapshot.members]
    wanted = ("bernoulli", "gaussian", "gaussian-learned", "continuous-bernoulli")
    assert sorted(likelihoods) == sorted(wanted)
    assert told["answer"] == wanted.index(best.config.likelihood)
    assert told["outcome"] == told["choices"][told["answer"]]
    assert told["kept"] == "the run says"


def test_a_run_that_came_otherwise_than_foretold_is_right_in_its_room(monkeypatch):
    snapshot = shown.look("shown-pixel-mean")
    which = [member.config.reduction for member in snapshot.members].index("pixel-mean")
    ends = [replace(each, active=20 if at == which else 0) for at, each in enumerate(
        verdict.outcomes(snapshot.members))]  # fmt: skip
    monkeypatch.setattr(verdict, "outcomes", lambda _: ends)
    monkeypatch.setattr(shown, "look", lambda _: snapshot)
    told = revealed("train-pixel-mean", "another-run")
    assert (told["theory"], told["outcome"]) == ("0", "20")
    assert told["choices"][told["answer"]] == "20"
    # The first choice, which one has taken, is right by the run and wrong by theory.
    assert told["advice"].startswith("100% are right.")


@pytest.mark.parametrize("run", ["none", "gone", "shown-sigma"])
def test_without_a_finished_run_of_the_question_theory_is_right(run):
    told = revealed("train-pixel-mean", run)
    assert (told["theory"], told["outcome"]) == ("0", "")
    assert told["choices"][told["answer"]] == "0"


def test_a_vote_for_a_room_of_another_server_says_so(monkeypatch):
    monkeypatch.setattr(hall, "_hall", Hall(Place("c")))
    status, told = ask("/room/b-BCDFG/vote/1/0", "a")
    assert status == 409
    assert "another server" in told["message"]


def test_a_qr_code_is_a_picture_of_an_address_alone():
    status, image = ask("/room/qr.svg", method="GET", query="text=https%3A%2F%2Fa.b%2F%3Froom%3DX")
    assert status == 200
    assert ET.fromstring(image).tag.endswith("svg")
    for text in ("javascript:alert(1)", "https://" + "a" * 2000, ""):
        status, told = ask("/room/qr.svg", method="GET", query=f"text={text}")
        assert status == 400
        assert "allowed is an address" in told["message"]


def test_a_wrong_code_in_an_address_gets_a_sentence_and_a_right_one_the_panel():
    notes = [note.value for note in open_app(room="no code").info]
    assert any(note.startswith("room in the address") for note in notes)
    parts = [part.proto.component_name for part in open_app(room="bcdfg").get("bidi_component")]
    assert "vae.classroom" in parts
