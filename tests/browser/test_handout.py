"""A printed page, and a figure alone in a frame: whole, without controls, on few pages."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import dial, draw_all, step_dial, wait_ready
from playwright.sync_api import expect

from vae.charts.derivation.steps import STEPS

pytestmark = pytest.mark.browser

_GONE = ("stSidebar", "stButton", "stSelectbox", "stNumberInput", "stButtonGroup", "stPopover")


def test_a_page_prints_on_six_pages_with_all_lines_open_folds_and_its_address(open_page):
    page = open_page("derivation?sigma=0.4")
    # The browser's own parts come last; what is printed before them is half a page.
    expect(dial(page, "sigma")).to_be_visible(timeout=30_000)
    page.locator(".handout").wait_for(state="attached")
    # As the browser's own key for printing waits for them.
    draw_all(page)
    page.evaluate("() => window.addEventListener('beforeprint', () => (window.printed = true))")
    document = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", document)) <= 6
    # A printer is told before the foot's picture has to be there.
    assert page.evaluate("window.printed")
    page.emulate_media(media="print")
    figures = [each for each in page.locator("svg.marks").all() if each.is_visible()]
    assert len(figures) > 15
    assert all(each.bounding_box()["height"] > 20 for each in figures)
    for name in _GONE:
        for each in page.get_by_test_id(name).all():
            assert not each.is_visible(), name
    assert not dial(page, "sigma").is_visible()
    for step in STEPS:
        expect(page.locator(".st-key-print-lines").get_by_text(step.title).first).to_be_visible()
    claim = page.locator(".fold .card").last
    expect(claim).to_be_visible()
    assert claim.bounding_box()["height"] > 10
    foot = page.locator(".handout")
    expect(foot).to_contain_text("derivation?sigma=0.4")
    expect(foot.locator("svg.qr")).to_be_visible()
    page.emulate_media(media="screen")
    expect(foot.locator("svg")).to_have_count(0)


def test_a_dark_page_prints_dark_letters_the_pasted_code_whole_figures_and_no_empty_fold(open_page):
    page = open_page("your_loss", dark=True)
    page.locator(".handout").wait_for(state="attached")
    code = page.locator("[data-testid=stText]")
    expect(code).to_be_hidden()
    page.emulate_media(media="print", color_scheme="dark")
    expect(code).to_contain_text("loss")
    expect(code).to_be_visible()
    expect(page.locator(".handout svg.qr")).to_be_visible()
    shown = page.evaluate(
        """() => {
          const seen = (which) =>
            [...document.querySelectorAll(which)].filter((each) => each.checkVisibility());
          const letters = seen("[data-testid=stMain] :is(h1, h2, p, li)");
          const inside = (figure) => {
            const own = figure.getBoundingClientRect();
            const place = figure.closest(".stElementContainer").getBoundingClientRect();
            const fits = own.bottom <= place.bottom + 1 && own.right <= place.right + 1;
            return own.height > 40 && fits;
          };
          return {
            colours: [...new Set(letters.map((each) => getComputedStyle(each).color))],
            whole: seen(".stVegaLiteChart svg.marks").map(inside),
            folds: seen("[data-testid=stExpander]").map((each) => each.innerText),
          };
        }"""
    )
    assert shown["colours"] == ["rgb(17, 17, 17)"]
    assert shown["whole"]
    assert all(shown["whole"])
    assert all("\n" in text.strip() for text in shown["folds"])


def test_one_figure_fits_its_frame_and_is_moved_by_its_dials(open_page):
    page = open_page("derivation?figure=evidence&embed=true", width=760, height=430)
    main = page.get_by_test_id("stMain")
    for name in ("evidence", "sigma", "beliefs", "gradients"):
        if f"figure={name}" not in page.url:
            page.goto(re.sub(r"figure=[\w-]+", f"figure={name}", page.url))
            wait_ready(page)
        sliders = page.locator(".dial input")
        expect(sliders.first).to_be_visible()
        assert main.evaluate("main => main.scrollHeight <= main.clientHeight"), name
        assert main.evaluate("main => main.scrollWidth <= main.clientWidth"), name
        expect(sliders.last).to_be_in_viewport(ratio=1)
        figure = page.locator(".stVegaLiteChart")
        expect(figure).to_be_in_viewport(ratio=0.99)
        # Drawn when it came, and not when a figure is at last that nothing has called near.
        assert figure.evaluate("figure => getComputedStyle(figure).animationName") == "none", name
    moved = step_dial(page, "start", inputs=5)
    assert moved.followed == 5
    assert moved.sent == 0
    found = Axe().run(page).response["violations"]
    assert not [each["id"] for each in found if each["impact"] in ("serious", "critical")]


def test_a_clicker_walks_through_the_sections_of_a_presenter(open_page):
    page = open_page("bias?present=1", width=1024, height=768)
    expect(page.locator(".steps")).to_be_visible()
    for anchor in ("asymmetry", "two-mse", "minimum"):
        page.keyboard.press("PageDown")
        expect(page.locator(f"#{anchor}")).to_be_in_viewport()
    page.keyboard.press("PageUp")
    expect(page.locator("#two-mse")).to_be_in_viewport()
    # Letters of the axes, as tall as the page's text: a hundredth of the picture's height and more.
    size = page.locator(".stVegaLiteChart svg .role-axis-label text").first
    assert size.evaluate("text => text.getBoundingClientRect().height") >= 14
    # For the class's own phones: this section, and not a projector's page.
    page.locator(".steps").get_by_role("button", name="QR").click()
    link = page.locator(".steps .qr-link")
    expect(link).to_contain_text("#two-mse")
    expect(link).not_to_contain_text("present")
    page.locator(".steps").get_by_role("button", name="QR").click()
    page.locator(".actions").get_by_role("button", name="QR").first.click()
    picture = page.locator(".actions img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
