"""Your loss in Chromium: paste, correct, set, compare, share, train; strange code stays text."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import open_everything, record_of, wait_fits, wait_ready
from hostile import HOST, TEXTS
from playwright.sync_api import Locator, Page, expect

from vae.web.your_loss.asked import EXAMPLE, Asked, pack

pytestmark = pytest.mark.browser

WEIGHTED = EXAMPLE.replace("error + kl", "error + kld_weight * kl")
CHOOSING = EXAMPLE.replace(
    "    error = F.mse_loss(x_hat, x)\n",
    "    error = F.mse_loss(x_hat, x) if kind == 'mse' else F.l1_loss(x_hat, x)\n",
)
# Packed it is longer than a link may be.
NOISE = "".join(f"# {number * 7919 % 104729} {number**3}\n" for number in range(1000))


def field(page: Page):
    return page.locator("[class*=st-key-loss_code] textarea")


def paste(page: Page, code: str) -> None:
    field(page).fill(code)
    field(page).press("Control+Enter")


def verdict(page: Page):
    return page.locator("[data-testid=stMain] [data-testid=stAlert]").filter(
        has_text="Gaussian with σ"
    )


def reads(page: Page, text: str) -> None:
    """The page's one verdict says ``text``; while it is drawn anew, the one before it may stand
    beside it."""
    expect(verdict(page).filter(has_text=text)).to_have_count(1)
    expect(verdict(page)).to_have_count(1)


def choose(page: Page, key: str, option: str) -> None:
    """Open a list by the keyboard, again where a run that was under way has closed it."""
    wait_ready(page)
    box = page.locator(f"[class*=st-key-{key}] input")
    wanted = page.get_by_role("option", name=option)
    for _ in range(5):
        box.focus()
        box.press("ArrowDown")
        # Open, and open still: a figure that moves what is below it closes the list, too.
        page.wait_for_timeout(700)
        if wanted.is_visible():
            break
    wanted.click()


def wait_for_link(page: Page) -> str:
    page.wait_for_function("() => location.search.includes('loss=')")
    return page.url


def test_a_pasted_loss_is_read_and_opens_in_another_browser(open_page):
    page = open_page("your_loss")
    reads(page, "σ = 19.8")
    paste(page, EXAMPLE.replace("error + kl", "10 * error + kl"))
    reads(page, "σ² = 39.2")
    link = urlsplit(wait_for_link(page))
    other = open_page(f"your_loss?{link.query}", width=390, height=844, dark=True)
    reads(other, "σ² = 39.2")
    # Nothing was asked for that is not there.
    assert record_of(page).console == record_of(other).console == []
    expect(field(other)).to_have_value(re.compile(r"10 \* error"))
    page.reload()
    wait_ready(page)
    reads(page, "σ² = 39.2")


def test_the_shared_link_is_the_reading(open_page):
    page = open_page("your_loss?present=1")
    paste(page, EXAMPLE.replace("error + kl", "2 * error + kl"))
    reads(page, "σ² = 196")
    page.get_by_role("button", name="Share").click()
    shared = page.locator("[data-testid=stPopoverBody] code").inner_text()
    query = parse_qs(urlsplit(shared).query)
    assert query["loss"] == parse_qs(urlsplit(page.url).query)["loss"]


def assert_a_constant_is_set_and_a_role_corrected(page: Page) -> None:
    paste(page, WEIGHTED)
    box = page.get_by_role("textbox", name="kld_weight")
    expect(box).to_be_visible()
    box.fill("0.5")
    box.press("Enter")
    reads(page, "σ² = 196")
    open_everything(page)
    choose(page, "loss_role-mu", "the latent that was drawn")
    expect(verdict(page)).to_have_count(0)
    choose(page, "loss_role-mu", "the mean of q(z|x)")
    reads(page, "σ² = 196")


def test_constants_roles_and_what_the_code_does_not_decide_are_set(open_page):
    page = open_page("your_loss")
    assert_a_constant_is_set_and_a_role_corrected(page)
    paste(page, CHOOSING)
    # What stood there before stays until the page is whole.
    expect(page.locator(".st-key-loss-choices input")).to_have_count(1)
    choose(page, "loss-choices", "mse")
    reads(page, "σ = 19.8")
    link = urlsplit(wait_for_link(page))
    other = open_page(f"your_loss?{link.query}")
    reads(other, "σ = 19.8")


def test_a_loss_too_long_for_a_link_is_there_after_a_reload(open_page):
    page = open_page("your_loss")
    code = f"{EXAMPLE.replace('error + kl', '2 * error + kl')}{NOISE}"[:19_000]
    paste(page, code)
    reads(page, "σ² = 196")
    assert "loss=" not in page.url
    page.reload()
    wait_ready(page)
    reads(page, "σ² = 196")
    expect(field(page)).to_have_value(code)
    # Longer than is read: a sentence, and the text stays. Longer than the field: a sentence.
    paste(page, code + "#" * 10_000)
    said = page.locator("[data-testid=stAlert]").filter(has_text="at most 20,000 are read here")
    expect(said).to_be_visible()
    assert len(field(page).input_value()) == len(code) + 10_000
    field(page).evaluate(
        """(field) => {
            const data = new DataTransfer();
            data.setData("text/plain", "x".repeat(70_000));
            field.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }"""
    )
    expect(page.get_by_role("alert").filter(has_text="more than the field takes")).to_be_visible()


def test_two_losses_are_compared(open_page):
    page = open_page("your_loss")
    page.get_by_text("Compare with a second loss").click()
    second = page.locator("[class*=st-key-loss_second] textarea")
    second.fill(EXAMPLE.replace("error + kl", "error + 3 * kl"))
    second.press("Control+Enter")
    expect(page.get_by_text("weighs its KL 3 times as heavily").first).to_be_visible()
    wait_for_link(page)
    page.reload()
    wait_ready(page)
    expect(page.get_by_text("weighs its KL 3 times as heavily").first).to_be_visible()


def test_a_question_is_opened_by_the_keyboard(open_page):
    page = open_page("your_loss")
    box = page.locator("[class*=st-key-loss_question] input")
    box.focus()
    box.press("ArrowDown")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Where it was asked")).to_be_visible()
    page.wait_for_function("() => location.search.includes('question=')")
    before = field(page).input_value()
    assert before != EXAMPLE
    # Tab leads on to the field; Control and Enter read what was typed.
    field(page).focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(EXAMPLE)
    page.keyboard.press("Control+Enter")
    reads(page, "σ = 19.8")
    page.wait_for_url(lambda url: "question" not in url)


def test_what_is_no_loss_gets_a_sentence_and_a_public_one_is_ringed_by_a_control(open_page):
    page = open_page("your_loss")
    paste(page, "loss = (")
    expect(page.locator("[data-testid=stAlert]").filter(has_text="ine 1")).to_be_visible()
    assert field(page).input_value() == "loss = ("
    open_everything(page)
    # A long list draws what is in view: typing finds the rest.
    page.locator(".st-key-public input").click()
    page.keyboard.type("rlkit")
    page.get_by_role("option", name="rlkit-skewfit").click()
    expect(page.get_by_text("rail-berkeley/rlkit").first).to_be_visible()
    page.wait_for_function("() => location.search.includes('public=rlkit-skewfit')")


def test_a_loss_is_trained_beside_its_elbo(open_page):
    page = open_page("your_loss")
    page.get_by_role("button", name="Train it").click()
    page.wait_for_url("**/train**")
    wait_ready(page)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible(timeout=30_000)
    # It comes true: a pixel mean beside a summed KL keeps no latent.
    row = page.get_by_role("row").filter(has_text="MSE, σ 19.799")
    expect(row.first).to_contain_text("0 of 20 (predicted 0)", timeout=60_000)
    # The next test's run waits for this one: whoever leaves at once may take the press along.
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_disabled(timeout=30_000)


def test_every_figure_has_its_words_and_fits_the_window(open_page):
    page = open_page("your_loss", height=844)
    open_everything(page)
    figures = page.locator("[data-testid=stMain] [data-testid=stVegaLiteChart]")
    expect(figures).to_have_count(3)
    for figure in figures.all():
        assert figure.locator("[aria-label]").first.get_attribute("aria-label")
    assert_names_stand_apart(figures.first)
    page.set_viewport_size({"width": 390, "height": 844})
    wait_fits(page)
    page.wait_for_timeout(800)
    assert_names_stand_apart(figures.first)


def assert_names_stand_apart(figure: Locator) -> None:
    """The names of a figure's lines, one from another."""
    boxes = figure.locator("svg text").evaluate_all(
        """(texts) => texts.filter((text) => /floor|D.4|squares|half/.test(text.textContent))
            .map((text) => { const b = text.getBoundingClientRect();
                             return [b.left, b.top + 2, b.right, b.bottom - 2]; })"""
    )
    assert len(boxes) == 4
    for number, a in enumerate(boxes):
        for b in boxes[number + 1 :]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (a, b)


def test_a_strangers_code_makes_no_link_and_no_request(open_page):
    # The other kinds are held on the page's own text, without a browser.
    texts = [TEXTS[kind] for kind in ("picture", "bare address", "html")]
    added = "".join(f" + args[{text!r}] * kl" for text in texts)
    code = EXAMPLE.replace("error + kl", f"error{added} + www.evil.example(x)")
    code = "".join(f"# {text}\n" for text in texts) + code
    link = pack(
        Asked(
            code=code,
            second="\n".join(texts),
            constants=(*((text, text[:50]) for text in texts), (f"www.{HOST}", "2")),
            roles=(*((text, "z") for text in texts), (f"//{HOST}", "mean")),
        )
    )
    page = open_page(f"your_loss?loss={link}")
    expect(field(page)).to_have_value(code)
    open_everything(page)
    marked = page.evaluate(
        """(host) => [...document.querySelectorAll("[data-testid=stMain] :is([href], [src])")]
            .map((part) => part.href?.baseVal || part.href || part.src)
            .filter((link) => link.includes(host) && !link.startsWith(location.origin))""",
        HOST,
    )
    assert marked == []
    assert record_of(page).outside == []
    for text in texts:
        # What was typed, not what a link brought.
        paste(page, text)
        expect(page.locator("[data-testid=stAlert]").first).to_be_visible()
        wait_ready(page)
        assert record_of(page).outside == []
