"""axe-core on every page in every mode: nothing that is ours, however slight."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_everything, wait_ready

from vae.web import navigation

pytestmark = pytest.mark.browser

PAGES = tuple("" if name == "overview" else name for name in navigation.PAGES)

# What Streamlit's own frontend does, by rule and by the part of a selector, with the reason.
STREAMLITS: dict[tuple[str, str], str] = {}


def violations(page) -> list[str]:
    found = []
    for violation in Axe().run(page).response["violations"]:
        for node in violation["nodes"]:
            target = " ".join(str(part) for part in node["target"])
            if not any(
                violation["id"] == rule and part in target + node["html"]
                for rule, part in STREAMLITS
            ):
                found.append(f"{violation['id']}: {target}: {node['html']:.160}")
    return found


def settle(page) -> None:
    wait_ready(page)
    page.wait_for_timeout(800)


@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "overview")
def test_nothing_is_found_in_any_mode(open_page, name: str) -> None:
    """Opened once, and turned from one mode to the next: folded, open, dark, presenting."""
    page = open_page(name)
    settle(page)
    assert violations(page) == []
    open_everything(page)
    settle(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert violations(page) == []
    page.locator(".st-key-presenter label").click()
    settle(page)
    assert violations(page) == []


@pytest.mark.wide
@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "overview")
def test_nothing_is_found_in_a_frame_or_with_hidden_controls(open_page, name: str) -> None:
    page = open_page(f"{name}?embed=true&hide=presets,seed,sigma,t&quiz=0", dark=True, width=700)
    settle(page)
    assert violations(page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_found_beside_a_finished_run_open_and_folded(open_page, dark: bool) -> None:
    page = open_page("train?run=shown-race", dark=dark)
    settle(page)
    assert violations(page) == []
    open_everything(page)
    settle(page)
    assert violations(page) == []


def test_the_audit_sees_a_violation(open_page) -> None:
    page = open_page()
    page.evaluate("document.querySelector('[data-testid=stMain]').append(new Image())")
    assert any(line.startswith("image-alt") for line in violations(page))
