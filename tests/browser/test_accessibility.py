"""axe-core on every page, light and dark: no serious or critical violation that is ours."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_everything

pytestmark = pytest.mark.browser

PAGES = ("", "derivation", "bias", "your_loss", "train", "teach")
SERIOUS = {"serious", "critical"}

# What Streamlit's own frontend does, by rule and by the part of a selector, with the reason.
STREAMLITS: dict[tuple[str, str], str] = {}


def violations(page) -> list[str]:
    found = []
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] not in SERIOUS:
            continue
        for node in violation["nodes"]:
            target = " ".join(str(part) for part in node["target"])
            if not any(
                violation["id"] == rule and part in target + node["html"]
                for rule, part in STREAMLITS
            ):
                found.append(f"{violation['id']}: {target}: {node['html']:.160}")
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "overview")
def test_no_serious_violation_is_ours(open_page, name: str, dark: bool) -> None:
    page = open_page(name, dark=dark)
    page.wait_for_timeout(1500)
    assert violations(page) == []


def test_the_presenters_mode_and_an_unfolded_check_are_sound_too(open_page) -> None:
    page = open_page("?present=1&verdict=wrong")
    page.locator(".ledger summary").first.click()
    page.wait_for_timeout(1000)
    assert violations(page) == []


@pytest.mark.parametrize("name", ["derivation", "bias", "your_loss"])
def test_what_is_folded_is_sound_too(open_page, name: str) -> None:
    page = open_page(name)
    open_everything(page)
    page.wait_for_timeout(1000)
    assert violations(page) == []


def test_the_audit_sees_a_violation(open_page) -> None:
    page = open_page()
    page.evaluate("document.querySelector('[data-testid=stMain]').append(new Image())")
    assert any(line.startswith("image-alt") for line in violations(page))
