"""A learner trains in Chromium: start, steer, reload, watch, compare, replay, take home."""

import ast
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from browsing import record_of, wait_ready
from PIL import Image
from playwright.sync_api import Page, expect

from vae.config import option
from vae.lessons.questions import LESSONS

pytestmark = pytest.mark.browser

# A few steps of a small network: what is tested is the page.
SHORT = "epochs=1&hidden_dim=16&batch_size=1000&latent_dim=2"
# Long enough to be steered; every test that starts one stops it.
LONG = "epochs=200&hidden_dim=16&batch_size=1000"
SECONDS = 30_000


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def status(page: Page):
    """The line over the progress bar."""
    return page.locator("[data-testid=stProgress]").first


def step_of(page: Page) -> int:
    text = status(page).inner_text()
    found = re.search(r"step ([\d,]+) of", text)
    assert found, text
    return int(found.group(1).replace(",", ""))


def settled_step(page: Page) -> int:
    """The step of a paused run, once the page has told the worker's last ones."""
    last = -1
    while (now := step_of(page)) != last:
        last = now
        page.wait_for_timeout(1500)
    return now


def wait_step(page: Page, step: int) -> None:
    """Wait for this very step: a paused run takes as many as it was told."""
    expect(status(page)).to_contain_text(f"step {step:,} of", timeout=SECONDS)


def pictures(page: Page):
    return page.locator(".pictures .row img")


def wait_pictures(page: Page, rows: int = 3) -> None:
    expect(pictures(page)).to_have_count(rows, timeout=SECONDS)


def start(page: Page, button: str = "Train") -> None:
    press(page, button)
    expect(status(page)).to_contain_text("Training", timeout=SECONDS)


def stop(page: Page) -> None:
    press(page, "Stop")
    expect(status(page)).to_contain_text("Stopped", timeout=SECONDS)


def download(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download(timeout=SECONDS) as waiting:
        press(page, name)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


@pytest.fixture
def train(open_page: Callable[..., Page]) -> Iterator[Callable[..., Page]]:
    """Open a page; at the end stop its run, for which the next test would have to wait."""
    pages = []

    def open_one(*arguments, **details) -> Page:
        pages.append(open_page(*arguments, **details))
        return pages[-1]

    yield open_one
    for page in pages:
        button = page.get_by_role("button", name="Stop", exact=True)
        if button.count() and button.first.is_enabled():
            button.first.click()
            expect(button.first).to_be_disabled(timeout=SECONDS)


def test_a_click_trains_and_everything_of_the_finished_run_is_there(train, tmp_path):
    page = train(f"train?{SHORT}")
    press(page, "Train")
    expect(status(page)).to_contain_text("Finished: step 12 of 12", timeout=SECONDS)
    page.get_by_role("heading", name="Take it home").wait_for(timeout=SECONDS)
    wait_ready(page)
    assert_film_plays_without_the_server(page)
    assert_everything_taken_home_opens(page, tmp_path)
    assert_tells_who_was_right_and_is_greyed_under_other_controls(page)


def assert_film_plays_without_the_server(page: Page) -> None:
    wait_pictures(page)
    slider = page.get_by_label("Moment of the training")
    last = int(slider.get_attribute("max"))
    assert last >= 2
    sent = record_of(page).sent
    means = pictures(page).nth(1)
    final = means.get_attribute("src")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".pictures output")).to_contain_text("step 0 ")
    assert means.get_attribute("src") != final
    page.locator(".pictures button.play").click()
    expect(slider).to_have_js_property("value", str(last), timeout=SECONDS)
    expect(page.locator(".pictures button.play")).to_have_text("Play")
    assert means.get_attribute("src") == final
    assert record_of(page).sent == sent, "the replay asked the server for something"
    # The map of the two latents names its ten classes.
    assert page.get_by_role("heading", name="What the latents mean").count() == 1


def assert_everything_taken_home_opens(page: Page, tmp_path: Path) -> None:
    table = pd.read_csv(download(page, "History (CSV)", tmp_path))
    assert table["step"].max() == 12
    assert {"log_likelihood", "kl_1", "kl_2", "mse"} <= set(table.columns)
    film = Image.open(download(page, "Animation (GIF)", tmp_path))
    assert film.n_frames >= 3
    source = download(page, "Script", tmp_path).read_text(encoding="utf-8")
    settings = next(
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "SETTINGS"
    )
    assert (settings["hidden_dim"], settings["latent_dim"]) == (16, 2)
    weights = download(page, "Weights", tmp_path)
    assert zipfile.is_zipfile(weights)
    images = download(page, "Images for the script", tmp_path)
    with zipfile.ZipFile(io.BytesIO(images.read_bytes())) as file:
        assert set(file.namelist()) == {"train.npy", "test.npy"}


def assert_tells_who_was_right_and_is_greyed_under_other_controls(page: Page) -> None:
    page.get_by_text("Show me who was right").click()
    expect(page.get_by_text("Predicted:")).to_be_visible()
    shown = page.locator(".st-key-train-run .stVegaLiteChart").first
    assert shown.evaluate("chart => getComputedStyle(chart).opacity") == "1"
    page.get_by_text("Learned σ", exact=True).click()
    expect(page.get_by_text("The controls say something else now")).to_be_visible(timeout=SECONDS)
    expect(shown).to_have_css("opacity", "0.45", timeout=SECONDS)
    # Every other figure is there when it is asked for.
    page.get_by_text("More figures:").click()
    expect(page.locator(".st-key-train-run .stVegaLiteChart")).to_have_count(7, timeout=SECONDS)


def test_figures_move_in_place_and_pause_step_resume_rate_and_stop_do_what_they_say(
    train, tmp_path
):
    page = train(f"train?{LONG}")
    start(page)
    wait_pictures(page)
    assert_figures_move_in_place(page)
    press(page, "Pause")
    expect(status(page)).to_contain_text("Paused", timeout=SECONDS)
    at = settled_step(page)
    for count in (1, 10):
        press(page, f"Step {count}")
        at += count
        wait_step(page, at)
    press(page, "Rate")
    rate = page.get_by_label("Learning rate now")
    rate.fill("0.005")
    rate.press("Enter")
    page.keyboard.press("Escape")
    press(page, "Step 10")
    wait_step(page, at + 10)
    press(page, "Resume")
    expect(status(page)).to_contain_text("Training", timeout=SECONDS)
    # Any control answers while it trains, and a press while a question redraws the page counts.
    page.get_by_text("Binary data", exact=True).click()
    stop(page)
    assert step_of(page) > at
    expect(page.get_by_text("Binary data: who wins?")).to_be_visible(timeout=SECONDS)
    page.get_by_role("heading", name="Take it home").wait_for(timeout=SECONDS)
    table = pd.read_csv(download(page, "History (CSV)", tmp_path))
    rates = table["learning_rate"].dropna()
    assert (rates.iloc[0], rates.iloc[-1]) == (0.001, 0.005)


def assert_figures_move_in_place(page: Page) -> None:
    chart = page.locator("[data-testid=stVegaLiteChart]").first
    chart.locator(".marks").wait_for(timeout=SECONDS)
    wait_pictures(page)
    seen = (
        pictures(page)
        .nth(1)
        .evaluate(
            """async (image) => {
            const marks = document.querySelector("[data-testid=stVegaLiteChart] .marks");
            const pictures = new Set();
            const blanks = [];
            const began = performance.now();
            const seconds = () => (performance.now() - began) / 1000;
            while (seconds() < 3 || (pictures.size < 4 && seconds() < 30)) {
                pictures.add(image.getAttribute("src"));
                if (!image.isConnected || !marks.isConnected) blanks.push(performance.now());
                await new Promise((done) => setTimeout(done, 30));
            }
            return { pictures: pictures.size, blanks: blanks.length };
        }"""
        )
    )
    assert seen["pictures"] >= 4
    assert seen["blanks"] == 0, "an element was rebuilt, which flickers"


def test_a_race_shows_four_losses_in_step(train):
    against = "gaussian,gaussian-learned,continuous-bernoulli"
    page = train(f"train?lesson=race&against={against}&{SHORT}")
    press(page, "Train 4 side by side")
    expect(status(page)).to_contain_text("Finished: step 12 of 12", timeout=SECONDS)
    wait_pictures(page, rows=5)
    table = page.locator(".st-key-train-run table").first
    expect(table.locator("tbody tr")).to_have_count(4)
    labels = page.locator(".pictures .row .label").all_inner_texts()
    assert labels == ["targets", "BCE", "MSE, σ 1", "σ learned", "continuous Bernoulli"]
    slider = page.get_by_label("Moment of the training")
    slider.focus()
    page.keyboard.press("Home")
    # Before the first step the network's output is the same: four readings of equal weights.
    first = [image.get_attribute("src") for image in pictures(page).all()[1:4]]
    assert len(set(first)) == 1


def test_divergence_is_explained_and_the_pictures_stay(train):
    page = train(f"train?{SHORT}&optimizer=sgd&learning_rate=10&likelihood=gaussian&scale=0.01")
    press(page, "Train")
    alert = page.locator("[data-testid=stAlert]").filter(has_text="diverged")
    expect(alert).to_contain_text("at step", timeout=SECONDS)
    expect(alert).to_contain_text("Try a learning rate below 10")
    wait_pictures(page)
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()


def test_a_lesson_link_hides_its_controls(train):
    page = train("train?lesson=sigma&likelihood=gaussian-learned&hide=seed,latent_dim")
    assert page.get_by_label("Seed", exact=True).count() == 0
    assert page.get_by_label("Latents", exact=True).count() == 0
    expect(page.get_by_text("What does a learned σ find?")).to_be_visible()


@pytest.mark.parametrize(
    "mode",
    [
        # Both at once, and in a wide round each alone and neither.
        "&present=1&hide=presets,seed",
        pytest.param("", marks=pytest.mark.wide),
        pytest.param("&present=1", marks=pytest.mark.wide),
        pytest.param("&hide=presets,seed", marks=pytest.mark.wide),
    ],
)
def test_a_run_is_found_again_watched_and_steered_in_every_mode(train, mode):
    """Presenter mode and the page write one address between them: neither takes a run away."""
    page = train(f"train?lesson=pixel-mean&{LONG}&latent_dim=2&seed=3{mode}")
    start(page, "Train 2 side by side")
    wait_pictures(page)
    address = page.url
    for part in ("run=", "lesson=pixel-mean", *re.findall(r"&(\w+=)", mode)):
        assert part in address
    page.reload()
    wait_ready(page)
    assert page.url == address
    expect(status(page)).to_contain_text("Training", timeout=SECONDS)
    watcher = train(f"train?run={run_of(page)}", width=390, height=844, dark=True)
    expect(watcher.get_by_text("You watch a run.")).to_be_visible(timeout=SECONDS)
    wait_pictures(watcher)
    assert watcher.get_by_role("button", name="Stop", exact=True).count() == 0
    first = pictures(watcher).nth(1).get_attribute("src")
    expect(pictures(watcher).nth(1)).not_to_have_attribute("src", first, timeout=SECONDS)
    press(page, "Pause")
    expect(status(page)).to_contain_text("Paused", timeout=SECONDS)
    expect(status(watcher)).to_contain_text("Paused", timeout=SECONDS)
    page.reload()
    wait_ready(page)
    expect(status(page)).to_contain_text("Paused", timeout=SECONDS)
    assert page.url == address
    press(page, "Resume")
    expect(status(page)).to_contain_text("Training", timeout=SECONDS)
    stop(page)
    expect(status(watcher)).to_contain_text("Stopped", timeout=SECONDS)
    assert page.get_by_role("button", name="Train 2 side by side").is_enabled()


def test_opened_weights_say_what_they_are_under_their_own_question_and_another(train):
    page = train("train?lesson=pixel-mean")
    press(page, "Trained weights")
    press(page, "Look at it")
    expect(status(page)).to_contain_text("Weights that were trained earlier", timeout=SECONDS)
    # The choice does not lie over what was chosen.
    expect(page.get_by_role("button", name="Look at it")).to_have_count(0)
    wait_pictures(page)
    changed = page.get_by_text("The controls say something else now")
    expect(page.get_by_text("These are results of BCE")).to_be_visible()
    # The address and the controls follow what was opened.
    page.wait_for_url(lambda url: "lesson" not in url)
    expect(changed).to_have_count(0, timeout=SECONDS)
    page.get_by_text("Binary data", exact=True).click()
    expect(changed).to_be_visible(timeout=SECONDS)
    expect(status(page)).to_contain_text("Weights that were trained earlier")
    press(page, "Resume")
    expect(status(page)).to_contain_text("Training", timeout=SECONDS)
    stop(page)


def test_every_action_keeps_its_place_on_the_screen(train):
    """Two presses in one place are one: the second must not meet another action there."""
    page = train(f"train?{LONG}")
    started = place(page, "Train")
    press_twice(page, "Train", 0)
    expect(status(page)).to_contain_text("Training", timeout=SECONDS)
    assert place(page, "Train") == started
    page.wait_for_timeout(1000)
    expect(status(page)).to_contain_text("Training")
    run = run_of(page)
    stopped = place(page, "Stop")
    press_twice(page, "Pause", 250)
    expect(status(page)).to_contain_text("Paused", timeout=SECONDS)
    assert place(page, "Stop") == stopped
    page.wait_for_timeout(1000)
    expect(status(page)).to_contain_text("Paused")
    press_twice(page, "Stop", 250)
    expect(status(page)).to_contain_text("Stopped", timeout=SECONDS)
    page.wait_for_timeout(1000)
    expect(status(page)).to_contain_text("Stopped")
    assert run_of(page) == run
    assert place(page, "Train") == started
    assert place(page, "Stop") == stopped
    press_twice(page, "Train", 250)
    page.wait_for_url(lambda url: run not in url)
    expect(status(page)).to_contain_text("Training", timeout=SECONDS)
    second = run_of(page)
    page.wait_for_timeout(1000)
    expect(status(page)).to_contain_text("Training")
    assert run_of(page) == second


def press_twice(page: Page, name: str, between: float) -> None:
    """Two presses of a hand that stays where it is, ``between`` of them in milliseconds."""
    button = page.get_by_role("button", name=name, exact=True).first
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*at)
    page.wait_for_timeout(between)
    page.mouse.click(*at)


def run_of(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["run"][0]


def place(page: Page, name: str) -> tuple[float, float]:
    """Where on the page, not on the screen, the button's middle is."""
    return page.get_by_role("button", name=name, exact=True).first.evaluate(
        """(button) => {
            const box = button.getBoundingClientRect();
            const main = document.querySelector("[data-testid=stMain]");
            const top = box.y + box.height / 2 + main.scrollTop;
            return [Math.round(box.x + box.width / 2), Math.round(top)];
        }"""
    )


def test_on_a_phone_the_button_is_on_the_first_screen(open_page):
    page = open_page("train", width=390, height=844)
    button = page.locator(".st-key-train").get_by_role("button", name=re.compile("^Train"))
    for lesson in LESSONS.values():
        page.get_by_text(lesson.name, exact=True).first.click()
        expect(page.get_by_text(lesson.question).first).to_be_visible(timeout=SECONDS)
        wait_ready(page)
        page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 0)")
        expect(button, lesson.name).to_be_in_viewport(ratio=1)


# What a choice shows and has no room for.
_CUT = """
() => [...document.querySelectorAll(".st-key-train-controls [data-testid=stSelectbox]")]
  .flatMap((box) => [...box.querySelectorAll("div, input, span")])
  .filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 20
    && (part.value ?? part.textContent).trim()
    && (part.tagName === "INPUT" || getComputedStyle(part).textOverflow === "ellipsis"))
  .map((part) => part.value ?? part.textContent)
"""


# How many of the buttons that start a run stand in each row, by their feet.
_ROWS = """
() => {
  const rows = {};
  for (const button of document.querySelectorAll(".st-key-train-buttons button")) {
    const { bottom, width } = button.getBoundingClientRect();
    if (width) rows[Math.round(bottom / 8)] = (rows[Math.round(bottom / 8)] ?? 0) + 1;
  }
  return Object.values(rows);
}
"""


def test_no_choice_at_hand_is_cut_and_no_button_stands_alone_on_any_screen(open_page):
    def longest(name: str) -> str:
        choices = {value: text for value, text in option(name).choices.items() if value != "images"}
        return max(choices, key=lambda value: len(choices[value]))

    others = "&".join(f"{name}={longest(name)}" for name in ("dataset", "reduction"))
    for likelihood in (longest("likelihood"), "gaussian-learned"):
        page = open_page(f"train?lesson=pixel-mean&{others}&likelihood={likelihood}")
        shown = page.locator("[class*=st-key-setting_likelihood] input")
        expect(shown).to_have_value(option("likelihood").choices[likelihood])
        for width, rows in ((1280, 1), (1024, 2), (768, 2), (390, 3)):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(200)
            assert page.evaluate(_CUT) == [], width
            standing = page.evaluate(_ROWS)
            assert len(standing) == rows, (width, standing)
            assert min(standing) > 1, (width, standing)
