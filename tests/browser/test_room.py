"""A teacher and two students in one room: two rounds, a reveal, a run that all watch; and what
they are told when the server dies. Of the second student there are the votes alone, without a
page."""

import json
import re
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from appserver import Server, serve
from axe_playwright_python.sync_playwright import Axe
from browsing import record_of, wait_ready, watch
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

SECONDS = 60_000
QUESTION = "derivation-sigma"
# What a room brings to a page, whose rest is audited without it (test_accessibility.py).
PANEL = ".st-key-room-panel"


def violations(page: Page) -> list[str]:
    """Of the room's panel, by their rules."""
    return [each["id"] for each in Axe().run(page, context=PANEL).response["violations"]]


def enter(browser: Browser, address: str, width: int = 390) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    watch(page)
    page.goto(address)
    wait_ready(page)
    return page


def say(page: Page, choice: str) -> None:
    """A vote by keyboard."""
    button = page.locator(".room .votes").get_by_role("button", name=choice)
    expect(button).to_be_enabled(timeout=SECONDS)
    button.press("Enter")
    expect(page.locator(".room").get_by_role("status")).to_have_text("Your vote is counted.")


def ask(server: Server, path: str, method: str = "GET") -> dict:
    """What another student's browser is told of the room, or of a vote."""
    headers = {"X-Room": "1", "Cookie": f"vae_key={'s' * 24}"}
    asked = urllib.request.Request(f"{server.url}/room/{path}", method=method, headers=headers)
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)


def send_vote(server: Server, room: str, choice: str) -> None:
    """A vote of the second student in the round that is open."""
    told = ask(server, room)
    choices = told["question"]["choices"]
    number = next(at for at, text in enumerate(choices) if text.startswith(choice))
    assert ask(server, f"{room}/vote/{told['round']}/{number}", "POST")["voted"]


def open_room(teacher: Page) -> str:
    teacher.get_by_role("button", name="Open a room").click()
    code = teacher.locator(".room .code")
    expect(code).to_have_text(re.compile("^Room [A-Z]{5}$"), timeout=SECONDS)
    return code.inner_text().removeprefix("Room ")


def test_a_class_votes_talks_votes_again_and_watches_the_teachers_run(browser, tmp_path):
    # A server of its own, which dies in the end.
    with serve(tmp_path / "first") as server:
        teach_and_watch(browser, server, tmp_path)


def teach_and_watch(browser: Browser, server: Server, folder: Path) -> None:
    app_url = server.url
    teacher = enter(browser, f"{app_url}/teach?present=1", width=1024)
    pages = [teacher]
    try:
        room = open_room(teacher)
        # The code for phones is there at once, and is drawn by this server.
        picture = teacher.locator(".room img.qr")
        expect(picture).to_be_visible(timeout=SECONDS)
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
        student = enter(browser, f"{app_url}/?room={room.lower()}")
        pages.append(student)
        expect(student.get_by_text("You are in the room.")).to_be_visible(timeout=SECONDS)
        assert violations(teacher) == violations(student) == []

        teacher.get_by_role("combobox", name="Question").select_option(QUESTION)
        teacher.get_by_role("button", name="Ask the room").click()
        say(student, "Nearer")
        send_vote(server, room, "At x")
        expect(teacher.get_by_text("The vote is open. 2 votes.")).to_be_visible(timeout=SECONDS)
        assert teacher.locator(".room .bars").count() == 0
        assert violations(teacher) == violations(student) == []
        teacher.get_by_role("button", name="Close the vote").click()
        bars = teacher.locator(".room .bars li")
        expect(bars.nth(0)).to_contain_text("1 (50%)")
        expect(teacher.get_by_text("Let them convince their neighbours")).to_be_visible()
        assert student.locator(".room .bars").count() == 0

        teacher.get_by_role("button", name="Vote again").click()
        say(student, "At x")
        send_vote(server, room, "At x")
        expect(teacher.get_by_text("Second vote. The vote is open. 2 votes.")).to_be_visible(
            timeout=SECONDS
        )
        teacher.get_by_role("button", name="Close the vote").click()
        expect(bars.nth(1)).to_contain_text("first 1 (50%)")
        expect(bars.nth(1)).to_contain_text("then 2 (100%)")
        expect(teacher.locator(".room .advice")).to_contain_text("Go on")
        teacher.get_by_role("button", name="Reveal").click()
        expect(student.locator(".room .bars li.right")).to_contain_text(
            "✓ At x, as before (yours)", timeout=SECONDS
        )
        assert violations(teacher) == violations(student) == []

        teacher.goto(f"{app_url}/train?epochs=1&hidden_dim=16&batch_size=1000&room={room}")
        wait_ready(teacher)
        teacher.locator(".st-key-train").get_by_role("button").click()
        student.wait_for_url("**/train?*run=*", timeout=SECONDS)
        expect(student.get_by_text("You watch a run.")).to_be_visible(timeout=SECONDS)
        teacher.get_by_role("button", name="Close the room").click()
        expect(student.get_by_text("This room is over")).to_be_visible(timeout=SECONDS)
        # Away from Train: the next server has no run to begin while it is to end.
        teacher.goto(f"{app_url}/teach?present=1")
        student.goto(f"{app_url}/teach?room={open_room(teacher)}")
        expect(student.get_by_text("You are in the room.")).to_be_visible(timeout=SECONDS)
        lose_server(server, folder, teacher, student)
    finally:
        for page in pages:
            assert not record_of(page).errors
            page.context.close()


def lose_server(server: Server, folder: Path, teacher: Page, student: Page) -> None:
    """The server is killed and another begins at its address: both pages say what became of it."""
    server.process.kill()
    for page in (teacher, student):
        silent = page.locator(".room").get_by_text("The server does not answer.")
        expect(silent).to_be_visible(timeout=SECONDS)
    with serve(folder / "second", port=urlsplit(server.url).port):
        for page in (teacher, student):
            gone = page.locator(".room").get_by_text("This room is over")
            expect(gone).to_be_visible(timeout=SECONDS)
        expect(teacher.locator(".room").get_by_role("button", name="Open a room")).to_be_visible()
        # Also while the page finds the new server, and draws the panel anew.
        student.locator(".room").get_by_role("button", name="Leave the room").press("Enter")
        expect(student.locator(".room")).to_have_count(0, timeout=SECONDS)
        # A server that is to end does not wait for pages that come back.
        for page in (teacher, student):
            page.context.close()
