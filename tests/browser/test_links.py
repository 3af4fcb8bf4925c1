"""Addresses: every section and every dial opens the view that it names (claims' links:
tests/ledger/test_claims_links.py)."""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import unfold
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ("", "derivation", "bias")


def sections(name: str) -> list[str]:
    text = (ROOT / "pages" / f"{name or 'overview'}.py").read_text(encoding="utf-8")
    return re.findall(r'anchor="([a-z0-9-]+)"', text)


def dials(page: Page) -> dict[str, dict[str, float]]:
    """Each dial's name, range and place on its slider."""
    page.locator(".dial input[type=range]").first.wait_for()
    return {
        element.evaluate("e => e.id").removeprefix("dial-"): element.evaluate(
            "e => ({ min: Number(e.min), max: Number(e.max), at: Number(e.value) })"
        )
        for element in page.locator(".dial input[type=range]").all()
    }


def bound(page: Page) -> dict[str, set[float]]:
    """The value of each chart parameter that a dial sets, over all charts."""
    pairs = page.evaluate(
        "[...document.querySelectorAll('form.vega-bindings input')]"
        ".map(input => [input.name, Number(input.value)])"
    )
    found: dict[str, set[float]] = {}
    for name, value in pairs:
        found.setdefault(name, set()).add(round(value, 4))
    return found


def view(page: Page, names: Iterable[str] = ()) -> dict[str, float]:
    """Where the dials stand, once those of these names are on the page: they come one by one."""
    for name in names:
        page.locator(f"#dial-{name}").first.wait_for(state="attached")
    return {name: round(dial["at"], 4) for name, dial in dials(page).items()}


def assert_figures_show(page: Page, wanted: dict[str, float]) -> None:
    page.wait_for_timeout(600)
    shown = bound(page)
    for name, at in wanted.items():
        for signal in (name, f"log10_{name}"):
            for value in shown.get(signal, set()):
                assert value == pytest.approx(at, abs=2e-3), f"{signal} in the figures"


@pytest.mark.parametrize("name", PAGES)
def test_dragged_values_travel_to_each_section_by_an_address(open_page, name) -> None:
    page = open_page(name)
    unfold(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    before = dials(page)
    assert before, f"no dials on {name!r}"
    # Moved from the keyboard, so that the page's own steps are used.
    for element in page.locator(".dial input[type=range]").all():
        element.focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
    moved = view(page)
    assert all(moved[key] != pytest.approx(before[key]["at"]) for key in before)
    page.get_by_role("button", name="Copy link to this view").first.click()
    expect(page.get_by_text("Link copied").first).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    assert set(parse_qs(urlsplit(address).query)) >= set(before)
    assert_figures_show(page, moved)
    *others, last = sections(name)
    again = open_page(re.sub(r"^https?://[^/]+/|#.*", "", address) + f"#{last}")
    # The last section's anchor while the page is still growing, the others' from there.
    for anchor in (last, *others):
        if anchor != last:
            again.evaluate("(anchor) => { location.hash = anchor; }", anchor)
        expect(again.locator(f"[id='{anchor}']")).to_be_in_viewport(timeout=10_000)
    assert view(again, moved) == pytest.approx(moved, abs=1e-3)
    assert_figures_show(again, moved)
