"""No pointer, no screen: controls are near, the focus is seen and never lost, states are said."""

import pytest
from browsing import wait_fits
from playwright.sync_api import Page, expect

from vae.web import navigation

pytestmark = pytest.mark.browser

SECONDS = 30_000
# The element that has the focus, through shadow roots, and how it shows that it has it.
_FOCUSED = """() => {
  let at = document.activeElement;
  const key = (at.closest("[class*=st-key-]")?.className.match(/st-key-([\\w-]+)/) ?? [])[1] ?? "";
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const ringed = at.matches("input[type=checkbox]") ? at.closest("label") : at;
  const style = getComputedStyle(ringed);
  const name = at.getAttribute("aria-label") || at.innerText || at.id || "";
  return {
    tag: at.tagName, key, id: at.id, name: name.trim(),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    colour: style.outlineColor,
    sidebar: Boolean(at.closest("[data-testid=stSidebar]")),
  };
}"""


def focused(page: Page) -> dict:
    return page.evaluate(_FOCUSED)


def tab(page: Page) -> dict:
    page.keyboard.press("Tab")
    return focused(page)


def contrast(colour: str, ground: tuple[int, int, int]) -> float:
    """The contrast of two colours (WCAG 2), of ``rgb(...)`` and of one as numbers."""

    def luminance(parts):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    numbers = [float(part) / 255 for part in colour.strip("rgb()").split(",")]
    lighter, darker = sorted((luminance(numbers), luminance([c / 255 for c in ground])))[::-1]
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("name", "dark"),
    [("", False), ("derivation", True), ("bias", False), ("your_loss", False), ("train", True)],
)
def test_controls_and_sections_are_few_presses_away_and_the_focus_is_seen(open_page, name, dark):
    page = open_page(name, dark=dark)
    page.locator("[data-testid=stMain] :is(.dial, textarea, .st-key-train button)").first.wait_for()
    ground = (27, 32, 39) if dark else (243, 245, 247)
    stops = []
    while not stops or stops[-1]["name"] != "Skip to the controls":
        stops.append(tab(page))
        # The pages' links, and what else the sidebar has.
        assert len(stops) <= len(navigation.PAGES) + 10, [stop["name"] for stop in stops]
    faint = [
        stop["name"]
        for stop in stops
        if stop["sidebar"] and (stop["outline"] < 2 or contrast(stop["colour"], ground) < 3)
    ]
    assert not faint
    page.keyboard.press("Enter")
    control = tab(page)
    has_dials = name in ("", "derivation", "bias")
    if has_dials:
        assert control["id"].startswith("dial-")
    else:
        assert control["key"] in ("loss_code", "train")
    assert_sections_are_reached_by_name(page, sections=name != "train")
    if has_dials:
        assert_dials_follow_their_figure(page)
    assert_fits_and_has_the_glossary(page)


def assert_sections_are_reached_by_name(page: Page, *, sections: bool) -> None:
    """Back from the controls, and on; ``sections``: whether the page has any yet."""
    page.keyboard.press("Home")
    page.locator(".hands summary").focus()
    page.keyboard.press("Enter")
    links = page.locator(".hands details a")
    if not sections:
        # Train's come with a run.
        assert links.count() == 0
        return
    expect(links).not_to_have_count(0)
    section = page.locator("[data-testid=stMain] :is(h2, h3)[id]").nth(1)
    page.keyboard.press("Tab")
    assert tab(page)["name"] == section.inner_text().strip()
    page.keyboard.press("Enter")
    expect(section).to_be_focused()
    expect(section).to_be_in_viewport()


def assert_fits_and_has_the_glossary(page: Page) -> None:
    """On a phone: test_layout_shift.py."""
    assert page.locator("h1").first.inner_text()
    page.locator("[data-testid=stSidebar]").get_by_text("Glossary").click()
    expect(page.get_by_text("evidence lower bound").first).to_be_visible()
    wait_fits(page)


def assert_dials_follow_their_figure(page: Page) -> None:
    """For who skips nothing, and on a page whose dials are docked at the foot of the window too."""
    page.locator("[data-testid=stMain] h1").evaluate(
        "title => { title.tabIndex = -1; title.focus(); }"
    )
    names: list[str] = []
    while not (names and names[-1].startswith("dial-")):
        at = tab(page)
        names.append(at["id"] if at["id"].startswith("dial-") else at["name"])
        assert len(names) <= 16, names


# A button that greys when it is pressed, an hour in which other things come, and what follows on
# it; then the same button once more, drawn anew.
_WAITED = """async () => {
  const main = document.querySelector("[data-testid=stMain]");
  const rest = () => new Promise((done) => setTimeout(done, 60));
  const add = (key, name) => {
    const box = document.createElement("div");
    box.className = `st-key-${key}`;
    box.innerHTML = `<button>${name}</button>`;
    main.append(box);
    return box.firstChild;
  };
  const begin = add("begin", "Begin");
  vaeHands.follow.begin = ["under-way"];
  begin.focus();
  begin.disabled = true;
  // A browser takes the focus away when it draws next.
  while (document.activeElement !== document.body) await rest();
  add("beside", "");
  const now = performance.now.bind(performance);
  performance.now = () => now() + 3_600_000;
  add("besides", "");
  await rest();
  const next = add("under-way", "Rest");
  await rest();
  const came = document.activeElement === next;
  const again = next.cloneNode(true);
  again.onclick = () => (window.heard = true);
  next.replaceWith(again);
  await rest();
  return [came, document.activeElement === again];
}"""


def assert_the_focus_comes_however_late_and_what_has_it_is_pressed(page: Page) -> None:
    assert page.evaluate(_WAITED) == [True, True]
    # The same action that was there before: not another one, for which the key was not meant.
    page.keyboard.press("Enter")
    assert page.evaluate("window.heard")


def said(page: Page):
    return page.locator(".st-key-said p[role=status]")


def test_a_run_is_started_rested_and_ended_by_keys_alone(open_page):
    page = open_page("train?epochs=200&hidden_dim=16&batch_size=1000")
    page.get_by_role("button", name="Train", exact=True).focus()
    # A key that is held goes on to press, which must not steer what it has just started.
    page.keyboard.down("Enter")
    for _ in range(3):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(said(page)).to_have_text("Training.", timeout=SECONDS)
    assert said(page).get_attribute("aria-live") in (None, "polite")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused(timeout=SECONDS)
    page.wait_for_timeout(1200)
    expect(said(page)).to_have_text("Training.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_focused(timeout=SECONDS)
    expect(said(page)).to_contain_text("Paused at step", timeout=SECONDS)
    page.wait_for_timeout(700)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused(timeout=SECONDS)
    expect(said(page)).to_have_text("Training.", timeout=SECONDS)
    names = []
    while not names or names[-1] != "Stop":
        names.append(tab(page)["name"].split("\n")[-1])
        assert len(names) <= 6, names
    # What a hand has gone to answers at once, though the focus has only just moved by itself.
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("Stopped at step", timeout=SECONDS)
    # On the row of its buttons, none of which a second press would set off.
    expect(page.locator(".st-key-train-steering")).to_be_focused(timeout=SECONDS)
    assert focused(page)["name"] == "The buttons that steer the run"
    page.keyboard.press("Enter")
    page.wait_for_timeout(700)
    expect(said(page)).to_contain_text("Stopped at step")
    assert_the_focus_comes_however_late_and_what_has_it_is_pressed(page)
