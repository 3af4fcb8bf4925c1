"""Every control of every page, in every mode: a press takes effect, and a reload keeps it."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import unfold, wait_ready
from playwright.sync_api import Locator, Page, expect

from vae.web import navigation

pytestmark = pytest.mark.browser

SECONDS = 30_000
# What a widget shows, by its kind; None where the element is no widget that keeps a value.
VALUE = """(box) => {
  const group = box.querySelector("[data-testid=stButtonGroup]");
  if (group) {
    const pressed = [...group.querySelectorAll(":is([aria-checked=true], [aria-pressed=true])")];
    return pressed.map((button) => button.innerText.trim()).join("|");
  }
  const radio = box.querySelector("[data-testid=stRadioGroup] input:checked");
  if (radio) return radio.value;
  const many = box.querySelector("[data-testid=stMultiSelectTagsContainer]");
  if (many) return many.innerText.trim();
  const kinds = ":is([data-testid=stSelectbox], [data-testid=stNumberInput])";
  const field = box.querySelector(`${kinds} input`);
  if (field) return field.value;
  const thumb = box.querySelector("[data-testid=stSlider] input[type=range]");
  return thumb ? (thumb.getAttribute("aria-valuetext") ?? thumb.value) : null;
}"""
MODES = {
    "sidebar": "",
    "presenter": "present=1",
    "hidden": "hide=presets,seed,latent_dim,race_sigma,digit,targets,noise_on",
    "embed": "embed=true",
}
PAGES = ("", *(name for name in navigation.PAGES if name != "overview"))


# Whose choices stand in the address beside the mode's own word: a list's filters, settings.
TURNED = ("", "train")


def box(page: Page, key: str) -> Locator:
    """The control of this key; a number follows it where the page has set what it shows."""
    either = f":is(.st-key-{key}, [class*='st-key-{key}-'])"
    return page.locator(f"[data-testid=stMain] .stElementContainer{either}").first


def values(page: Page) -> dict[str, str]:
    """What every control of the page that keeps a value shows, by its key, in the page's order."""
    boxes = page.locator("[data-testid=stMain] .stElementContainer[class*=st-key-]")
    # All at one moment: an element may be replaced between two questions.
    pairs = boxes.evaluate_all(
        f"""(boxes) => {{
            const value = {VALUE};
            const key = (box) => box.className.match(/st-key-([\\w-]+?)(-\\d+)?(\\s|$)/)[1];
            return boxes.map((box) => [key(box), value(box)]);
        }}"""
    )
    return {key: shown for key, shown in pairs if shown is not None}


def change(page: Page, key: str) -> None:
    """Give the control another value, as a hand would."""
    control = box(page, key)
    control.scroll_into_view_if_needed()
    if control.locator("[data-testid=stButtonGroup]").count():
        shown = control.evaluate(VALUE).split("|")
        buttons = control.locator("[data-testid=stButtonGroup] button[data-variant]").all()
        [each for each in buttons if each.inner_text().strip() not in shown][-1].click()
    elif control.locator("[data-testid=stRadioGroup]").count():
        control.locator("[data-testid=stRadioOption]:has(input:not(:checked))").last.click()
    elif control.locator("[data-testid=stMultiSelect]").count():
        control.locator("input").click()
        page.get_by_role("option").first.click()
        page.keyboard.press("Escape")
    elif control.locator("[data-testid=stSelectbox]").count():
        shown = control.evaluate(VALUE)
        options = page.get_by_role("option")
        # A run that is under way, or a figure that moves what is below it, closes a list again.
        for _ in range(5):
            control.locator("[data-testid=stSelectbox] input").click()
            page.wait_for_timeout(500)
            if options.first.is_visible():
                break
        next(o for o in options.all() if o.inner_text().strip() != shown).click()
    elif control.locator("[data-testid=stNumberInput]").count():
        field = control.locator("input")
        field.fill(f"{float(field.input_value()) + 1:g}")
        field.press("Enter")
    else:
        thumb = control.locator("input[type=range]")
        at_end = thumb.evaluate("input => input.value === input.max")
        thumb.press("ArrowLeft" if at_end else "ArrowRight")


def settle(page: Page) -> None:
    page.wait_for_timeout(250)
    wait_ready(page)
    page.wait_for_timeout(150)


def open_folds(page: Page) -> None:
    """Open what is folded, once there is something to press."""
    wait_until(page, lambda: bool(values(page)))
    assert values(page), f"no control on {page.url}"
    unfold(page)
    settle(page)


def wait_until(page: Page, true: Callable[[], bool]) -> None:
    """Wait for it; what does not come is told by the assertion that follows."""
    for _ in range(60):
        if true():
            return
        page.wait_for_timeout(250)


def parameters(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def kinds(page: Page) -> dict[str, str]:
    """Each control's kind of widget, by its key."""
    names = (
        "ButtonGroup",
        "RadioGroup",
        "MultiSelect",
        "Selectbox",
        "NumberInput",
        "Slider",
        "TextInput",
    )
    return {
        key: next((n for n in names if box(page, key).locator(f"[data-testid=st{n}]").count()), "")
        for key in values(page)
    }


def press_all(page: Page, *, one_of_a_kind: bool) -> None:
    """Change every control, or the first of each kind of widget; none snaps back."""
    pressed: set[str] = set()
    seen: set[str] = set()
    # A changed control may bring others.
    while left := [key for key in values(page) if key not in pressed]:
        key = left[0]
        pressed.add(key)
        if one_of_a_kind:
            kind = kinds(page)[key]
            if kind in seen:
                continue
            seen.add(kind)
        before = values(page)[key]
        change(page, key)
        wait_until(page, lambda key=key, before=before: values(page).get(key) != before)
        settle(page)
        # It did not snap back while the page drew itself again.
        assert values(page).get(key) != before, f"{key} of {page.url} snapped back to {before!r}"


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        pytest.param(name, mode, marks=() if mode == "sidebar" else pytest.mark.wide)
        for name in PAGES
        for mode in MODES
    ],
)
def test_every_control_takes_effect_and_survives_a_reload(open_page, name, mode):
    """Each of them as a page is opened; in the other modes one of each kind of widget."""
    page = open_page(f"{name}?{MODES[mode]}")
    open_folds(page)
    press_all(page, one_of_a_kind=mode != "sidebar")
    wanted = values(page)
    asked = parse_qs(MODES[mode])
    page.reload()
    wait_ready(page)
    open_folds(page)
    wait_until(page, lambda: values(page) == wanted)
    settle(page)
    assert values(page) == wanted
    kept = parameters(page)
    if "present" in asked:
        assert kept.get("present") == ["1"]
        expect(page.locator(".st-key-presenter-bar")).to_be_visible()
    assert kept.get("embed") == asked.get("embed")
    hidden = set(asked.get("hide", [""])[0].split(",")) & set(kept.get("hide", [""])[0].split(","))
    for key in hidden:
        assert box(page, key).count() == 0
        assert box(page, f"setting_{key}").count() == 0
    if mode == "sidebar" and name in TURNED:
        assert_presenter_mode_comes_and_goes(page, wanted)


def assert_presenter_mode_comes_and_goes(page: Page, wanted: dict[str, str]) -> None:
    """The mode writes its own word into an address that holds the page's choices."""
    for there in (True, False):
        page.locator(".st-key-presenter label").click()
        wait_until(page, lambda there=there: ("present" in parameters(page)) == there)
        open_folds(page)
        wait_until(page, lambda: values(page) == wanted)
        assert ("present" in parameters(page)) == there
        assert values(page) == wanted
        assert page.locator("[data-testid=stException]").count() == 0


def test_who_looks_at_a_run_has_controls_that_work_and_none_that_steer(open_page):
    page = open_page("train?run=shown-race")
    open_folds(page)
    press_all(page, one_of_a_kind=False)
    for name in ("Train", "Pause", "Stop", "Step 1"):
        assert page.get_by_role("button", name=name, exact=True).count() == 0
    assert parameters(page)["run"] == ["shown-race"]
    page.get_by_role("button", name="Train my own with these settings").click()
    expect(page.get_by_role("button", name="Train 4 side by side")).to_be_enabled(timeout=SECONDS)
    # The address follows what the page shows.
    wait_until(page, lambda: "lesson" in parameters(page))
    assert parameters(page)["lesson"] == ["race"]
    assert "run" not in parameters(page)


@pytest.mark.parametrize(
    "mode",
    [pytest.param(mode, marks=() if mode == "presenter" else pytest.mark.wide) for mode in MODES],
)
def test_a_lessons_buttons_go_on_from_where_they_are(open_page, mode):
    """The line is in the address, beside what others have written there."""
    page = open_page(f"derivation?{MODES[mode]}")
    # The presenter's own buttons of these names go from section to section.
    lesson = page.locator("[data-testid=stMain] [data-testid=stButton]")
    forward = lesson.get_by_role("button", name="Next", exact=True)
    forward.click()
    expect(page.get_by_text("Line 2 of 8", exact=True)).to_be_visible(timeout=SECONDS)
    forward.click()
    expect(page.get_by_text("Line 3 of 8", exact=True)).to_be_visible(timeout=SECONDS)
    # What came is brought above the buttons and the dials, which stay where they are.
    page.wait_for_function(
        """() => {
            const figure = document.querySelector(".st-key-step-3 .stVegaLiteChart");
            const row = document.querySelector(".st-key-print-hidden-steps");
            const [box, bar] = [figure, row].map((each) => each?.getBoundingClientRect());
            return box?.height && box.top > 60 && box.bottom <= bar.top;
        }"""
    )
    assert parameters(page)["step"] == ["3"]
    page.reload()
    wait_ready(page)
    expect(page.get_by_text("Line 3 of 8", exact=True)).to_be_visible(timeout=SECONDS)
    lesson.get_by_role("button", name="Back", exact=True).click()
    expect(page.get_by_text("Line 2 of 8", exact=True)).to_be_visible(timeout=SECONDS)
    assert ("present" in parameters(page)) == (mode == "presenter")
