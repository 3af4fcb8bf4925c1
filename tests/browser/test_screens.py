"""Every page on every screen: a control and what it moves are seen together, words are legible.

A page is opened once and its window changed: a phone, a small laptop, a projector, a laptop, and
a projector at 200% zoom, which is half its pixels. Presenting comes last, by the toggle.
"""

# The functions below are JavaScript, in its own style.
# ruff: noqa: E501

import contextlib

import pytest
from browsing import draw_all, open_everything
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotSeen

from vae.web.your_loss.asked import EXAMPLE

pytestmark = pytest.mark.browser

SIZES = [(390, 844), (1024, 768), (1366, 768), (1280, 720), (640, 360)]
# Between two of the others: one page of three in it is enough, since all figures follow the width.
LAPTOP = (1366, 768)
PRESENTED = [(1024, 768), (1280, 720)]
# For each row of dials and each figure of its container that one of them moves: the figure is
# brought to the row, and looked at where its corners and the row's middle are.
_APART = """
() => {
  const main = document.querySelector("[data-testid=stMain]");
  const apart = [];
  const seen = (element, x, y) => {
    const hit = document.elementFromPoint(x, y);
    return Boolean(hit) && element.contains(hit);
  };
  let looked = 0;
  for (const row of main.querySelectorAll("[class*=st-key-dock-]")) {
    if (!row.checkVisibility()) continue;
    const host = [...row.querySelectorAll("*")].find((each) => each.shadowRoot);
    const dials = [...host.shadowRoot.querySelectorAll("input[type=range]")];
    const names = dials.map((dial) => dial.id.replace("dial-", ""));
    const moved = names.flatMap((name) => [`[name="${name}"]`, `[name="log10_${name}"]`]).join();
    const sticky = [...row.parentElement.querySelectorAll("[data-testid=stLayoutWrapper], [class*=st-key-dock-]")].filter((each) => getComputedStyle(each).position === "sticky");
    const height = sticky.reduce((sum, each) => sum + each.getBoundingClientRect().height, 0);
    for (const chart of row.parentElement.querySelectorAll(".stVegaLiteChart")) {
      const figure = chart.closest(".stElementContainer");
      if (!chart.checkVisibility() || !chart.getBoundingClientRect().width || !chart.querySelector(`input:is(${moved})`)) continue;
      figure.scrollIntoView({ block: "end", behavior: "instant" });
      main.scrollTop += height + 4;
      const box = figure.getBoundingClientRect();
      const foot = row.getBoundingClientRect();
      looked += 1;
      const whole =
        [box.top + 3, box.bottom - 3].every((y) => seen(figure, box.left + box.width / 2, y)) &&
        seen(row, foot.left + 40, foot.top + 8) && seen(row, foot.left + 40, foot.bottom - 12);
      if (!whole) apart.push(`${row.className.match(/st-key-[\\w-]+/)[0]}: ${chart.getAttribute("aria-label")?.slice(0, 60)}, ${Math.round(box.top)} to ${Math.round(box.bottom)}, dials from ${Math.round(foot.top)}`);
    }
  }
  return { looked, apart };
}
"""
# As the page opens, and where each section's link or a presenter's Next leads: how much of a figure
# is seen above the first row of dials that is, where that is little.
_HIDDEN = """
(least) => {
  const main = document.querySelector("[data-testid=stMain]");
  const hidden = [];
  const look = (place) => {
    const row = [...main.querySelectorAll("[class*=st-key-dock-]")].find((each) => {
      const { top, bottom } = each.getBoundingClientRect();
      return each.checkVisibility() && bottom <= innerHeight + 1 && top > 0.3 * innerHeight;
    });
    if (!row) return;
    const bars = [...row.parentElement.querySelectorAll("[data-testid=stLayoutWrapper]")].filter((each) => getComputedStyle(each).position === "sticky");
    const foot = Math.min(...[row, ...bars].map((each) => each.getBoundingClientRect().top));
    const seen = [...row.parentElement.querySelectorAll(".stVegaLiteChart")].filter((chart) => chart.checkVisibility()).map((chart) => {
      const { top, bottom, height } = chart.closest(".stElementContainer").getBoundingClientRect();
      return Math.max(0, Math.min(bottom, foot) - Math.max(top, 0)) / height;
    });
    if (Math.max(...seen) < least) hidden.push(`${place}: ${Math.max(...seen).toFixed(2)}`);
  };
  main.scrollTop = 0;
  look("opening");
  for (const heading of main.querySelectorAll("h2[id]")) {
    heading.scrollIntoView({ block: "start", behavior: "instant" });
    look(heading.id);
  }
  main.scrollTop = 0;
  return hidden;
}
"""
# What the words of all figures are: their size on screen, their contrast, whether they are cut off
# or lie on one another.
_WORDS = """
() => {
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => channel(Number(part) / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = luminance(getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor);
  const found = { small: [], faint: [], cut: [], met: [], count: 0, size: Infinity };
  for (const svg of document.querySelectorAll(".stVegaLiteChart svg.marks")) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) continue;
    const larger = frame.width / Number(svg.getAttribute("width"));
    const label = svg.closest("[aria-label]").getAttribute("aria-label").slice(0, 40);
    const words = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim() && getComputedStyle(text).opacity > 0);
    const boxes = words.map((text) => text.getBoundingClientRect());
    words.forEach((text, at) => {
      const style = getComputedStyle(text);
      const size = parseFloat(style.fontSize) * larger;
      const own = luminance(style.fill);
      const contrast = (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
      const said = `${label}: ${text.textContent}`;
      const box = boxes[at];
      found.count += 1;
      found.size = Math.min(found.size, size);
      if (contrast < 4.5) found.faint.push(`${said} ${contrast.toFixed(1)}`);
      if (box.left < frame.left - 2 || box.right > frame.right + 2 || box.top < frame.top - 3 || box.bottom > frame.bottom + 3) found.cut.push(said);
      for (let other = at + 1; other < words.length; other += 1) {
        const beside = boxes[other];
        const across = Math.min(box.right, beside.right) - Math.max(box.left, beside.left);
        const down = Math.min(box.bottom, beside.bottom) - Math.max(box.top, beside.top);
        if (across > 2 && down > 5) found.met.push(`${said} | ${words[other].textContent}`);
      }
    });
  }
  return found;
}
"""
# A window that was narrowed: what is wider than it, the page or a figure in its column.
_WIDER = """
() => {
  const main = document.querySelector("[data-testid=stMain]");
  const wider = main.scrollWidth > main.clientWidth + 1 ? [`page: ${main.scrollWidth}`] : [];
  for (const chart of main.querySelectorAll(".stVegaLiteChart.fit-x")) {
    const marks = chart.querySelector(".marks");
    const drawn = parseFloat(marks?.style.width) || Number(marks?.getAttribute("width"));
    if (drawn > chart.clientWidth + 2 && chart.checkVisibility())
      wider.push(`${chart.getAttribute("aria-label")?.slice(0, 60)}: ${drawn} in ${chart.clientWidth}`);
  }
  return wider;
}
"""


# A figure in full screen, all of it above its dials, and most of what is there.
_FILLED = """
(row) => {
  const frame = document.querySelector("[data-testid=stFullScreenFrame]:has([aria-label^='Close fullscreen'])");
  const drawn = frame?.querySelector(".marks")?.getBoundingClientRect();
  const dials = row.getBoundingClientRect();
  const hit = document.elementFromPoint(dials.left + 40, dials.top + 12);
  return Boolean(drawn) && row.contains(hit) && Math.abs(dials.bottom - visualViewport.height) < 2
    && drawn.right <= visualViewport.width + 1 && drawn.width > 0.85 * visualViewport.width
    && drawn.bottom <= dials.top + 1 && drawn.bottom - drawn.top > 0.8 * (dials.top - 56);
}
"""


def rested(page: Page) -> None:
    """Wait until nothing moves any more: figures take a new width a moment after the window."""
    draw_all(page)
    before, same = None, 0
    while same < 2:
        page.wait_for_timeout(150)
        now = page.evaluate(
            "() => [...document.querySelectorAll('.stVegaLiteChart .marks, [class*=st-key-dock-]')]"
            ".map((part) => part.getBoundingClientRect().width).concat("
            "document.querySelector('[data-testid=stMain]').scrollHeight)"
        )
        before, same = now, same + 1 if now == before else 0


@pytest.mark.parametrize("path", ["", "derivation", "bias"])
def test_a_control_and_what_it_moves_share_every_screen_in_words_that_are_read(open_page, path):
    page = open_page(path)
    open_everything(page)
    for width, height in SIZES:
        if path and (width, height) == LAPTOP:
            continue
        page.set_viewport_size({"width": width, "height": height})
        assert_read(page, 14, cut=height > 400)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.get_by_text("Presenter mode").click()
    page.locator("[data-testid=stSidebar]").wait_for(state="hidden")
    for width, height in PRESENTED:
        page.set_viewport_size({"width": width, "height": height})
        assert_read(page, 20)
    assert_a_figure_fills_the_screen_above_its_dials(page)
    page.emulate_media(color_scheme="dark")
    rested(page)
    assert page.evaluate(_WORDS)["faint"] == []


def assert_a_figure_fills_the_screen_above_its_dials(page: Page) -> None:
    """A presenter's, whose letters are larger: the axis' name is the last line above the dials."""
    row = page.locator("[class*=st-key-dock-]:visible").first
    figure = row.locator("xpath=..").locator("[data-testid=stFullScreenFrame]").first
    figure.scroll_into_view_if_needed()
    figure.hover()
    figure.get_by_role("button", name="Fullscreen").click()
    page.wait_for_function(f"({_FILLED})", arg=row.element_handle())
    size = page.evaluate(_WORDS)["size"]
    figure.get_by_role("button", name="Close fullscreen").click()
    page.wait_for_function(f"(row) => !({_FILLED})(row)", arg=row.element_handle())
    assert size >= 20


# A control and what it moves, where no dial does: found by scrolling up or down to either of them.
_TOGETHER = """
async (parts) => {
  const main = document.querySelector("[data-testid=stMain]");
  const whole = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const seen = (x, y) => {
      let hit = document.elementFromPoint(x, y);
      while (hit?.shadowRoot?.elementFromPoint(x, y) && hit.shadowRoot.elementFromPoint(x, y) !== hit) hit = hit.shadowRoot.elementFromPoint(x, y);
      return Boolean(hit) && (element.contains(hit) || hit.contains(element));
    };
    return top >= 0 && bottom <= innerHeight && [top + 3, bottom - 3].every((y) => seen((left + right) / 2, y));
  };
  const said = [];
  const [control, figure] = [parts[0], parts.at(-1)];
  for (const [element, block] of [[control, "start"], [control, "center"], [figure, "center"], [figure, "end"]]) {
    element.scrollIntoView({ block, behavior: "instant" });
    if (block === "start") main.scrollTop -= 64;
    await new Promise(requestAnimationFrame);
    if (parts.every(whole)) return [];
    said.push(parts.map((each) => { const box = each.getBoundingClientRect(); return [box.top, box.bottom].map(Math.round); }));
  }
  return said;
}
"""


def assert_together(page: Page, *parts: Locator) -> None:
    handles = [each.first.element_handle() for each in parts]
    assert page.evaluate(_TOGETHER, handles) == [], (parts, page.viewport_size)


@pytest.mark.parametrize("path", ["your_loss", "train?run=shown-race"])
def test_pages_without_dials_are_read_on_every_screen(open_page, path):
    page = open_page(path)
    open_everything(page)
    pair = page.get_by_label("Moment of the training"), page.locator(".pictures .row img").last
    if path == "your_loss":
        field = page.locator("[class*=st-key-loss_code] textarea")
        field.fill(EXAMPLE.replace("error + kl", "error + kld_weight * kl"))
        field.press("Control+Enter")
        constant = page.get_by_role("textbox", name="kld_weight")
        constant.fill("0.5")
        constant.press("Enter")
        verdict = page.get_by_test_id("stAlert").filter(has_text="σ² = 196").first
        expect(verdict).to_be_visible()
        pair = verdict, constant, page.locator(".st-key-figures-loss-belief .stVegaLiteChart").first
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert_read(page, 14, cut=height > 400, dials=False)
        # A window of 360 pixels is no higher than the belief.
        if path != "your_loss" or height > 400:
            assert_together(page, *pair)


def test_a_hand_that_draws_or_moves_z_sees_the_pictures_on_every_screen(open_page):
    page = open_page("train")
    page.locator(".drawing").scroll_into_view_if_needed()
    board, sliders = page.locator(".drawing .board"), page.locator(".drawing .sliders .named")
    board.wait_for(timeout=30_000)
    page.locator(".drawing summary").filter(has_text="Move z by hand").click()
    page.locator(".drawing .latents .decoded").wait_for()
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(200)
        assert_together(page, board, page.locator(".drawing .line:not(.head) .pixels"))
        for slider in (sliders.first, sliders.last):
            assert_together(page, slider, page.locator(".drawing .decoded"))


def test_the_sidebar_lists_the_sections_and_marks_the_one_that_is_read(open_page):
    page = open_page("bias")
    listed = page.get_by_role("navigation", name="On this page").get_by_role("link")
    titles = page.locator("[data-testid=stMain] h2[id]")
    expect(listed).to_have_count(titles.count())
    for number in (3, 7):
        listed.nth(number).click()
        expect(titles.nth(number)).to_be_in_viewport()
        expect(listed.nth(number)).to_have_attribute("aria-current", "location")
        assert titles.nth(number).inner_text().startswith(listed.nth(number).inner_text())
    expect(page.locator(".contents [aria-current]")).to_have_count(1)
    # One stop for the keyboard, and arrows from there.
    listed.nth(7).focus()
    page.keyboard.press("ArrowUp")
    expect(listed.nth(6)).to_be_focused()
    # On a phone the list lies over the page: it makes way for what is chosen.
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("[data-testid=stExpandSidebarButton]").click()
    listed.nth(4).click()
    expect(page.locator("[data-testid=stSidebarCollapseButton]")).not_to_be_visible()
    expect(titles.nth(4)).to_be_in_viewport()


def assert_read(page: Page, smallest: float, cut: bool = True, dials: bool = True) -> None:
    rested(page)
    with contextlib.suppress(NotSeen):
        page.wait_for_function(f"() => ({_WIDER})().length === 0", timeout=10_000)
    assert page.evaluate(_WIDER) == []
    rested(page)
    seen = page.evaluate(_APART)
    assert bool(seen["looked"]) is dials
    assert seen["apart"] == []
    # At 200% a heading and its sentence fill the screen.
    assert not dials or not cut or page.evaluate(_HIDDEN, 0.85) == []
    words = page.evaluate(_WORDS)
    assert words["count"] > 0
    assert words["size"] >= smallest
    assert words["faint"] == []
    assert words["met"] == []
    assert not cut or words["cut"] == []
