"""Drawing on trained networks in Chromium: every way to draw, what is shown, what is sent."""

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from browsing import record_of, step_stroke, wait_ready
from PIL import Image
from playwright.sync_api import Page, Route, expect

from vae.engine.checkpoints import load
from vae.engine.elbo import build_elbo
from vae.engine.likelihoods import ContinuousBernoulli
from vae.shipped.cards import load_cards

pytestmark = pytest.mark.browser

SECONDS = 30_000
FOUR = ("gaussian", "gaussian-optimal", "bernoulli", "continuous-bernoulli")
SHORT = "epochs=1&hidden_dim=16&batch_size=1000&latent_dim=2"


def opened(page: Page) -> Page:
    """Scroll to the section and wait for its pictures."""
    page.locator(".drawing").scroll_into_view_if_needed()
    page.locator(".drawing .board").wait_for(timeout=SECONDS)
    return page


@pytest.fixture(scope="module")
def shared(open_for_all) -> Page:
    return opened(open_for_all("train"))


@pytest.fixture
def drawing(shared: Page) -> Page:
    """The section before any run, with a test digit on the board and z the mean of its q."""
    shared.get_by_role("button", name="Pen", exact=True).click()
    shared.get_by_role("button", name="Start from a test image: 2").click()
    shared.get_by_role("button", name="the mean of q(z|x)", exact=True).click()
    board(shared).scroll_into_view_if_needed()
    settle(shared)
    return shared


def board(page: Page):
    return page.locator(".drawing .board")


def greys(page: Page, selector: str = ".board") -> np.ndarray:
    """The bytes that a canvas shows, (h, w)."""
    return np.array(
        page.locator(f".drawing {selector}").first.evaluate(
            """(canvas) => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                return Array.from({ length: height }, (_, y) =>
                    Array.from({ length: width }, (_, x) => data[4 * (y * width + x)]));
            }"""
        ),
        dtype=np.uint8,
    )


def settle(page: Page) -> None:
    """Two frames: the networks have followed the hand."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)))")


def draw(page: Page, points: list[tuple[float, float]], steps: int = 8) -> None:
    """A stroke with the pressed pointer; points are shares of the board's sides."""
    board(page).scroll_into_view_if_needed()
    box = board(page).bounding_box()
    assert box is not None
    for index, (x, y) in enumerate(points):
        place = (box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.move(*place, steps=steps)
        if index == 0:
            page.mouse.down()
    page.mouse.up()
    settle(page)


def numbers(page: Page) -> list[dict[str, float]]:
    """For each network what its row says: log p(x|z), KL, loss and squared error."""
    names = ("log_likelihood", "kl", "loss", "mse")
    told = []
    for row in page.locator(".drawing .numbers").all():
        texts = row.locator("span").all_inner_texts()
        values = [float(text.replace("\u2212", "-")) for text in texts]
        told.append(dict(zip(names, values, strict=True)))
    return told


def by_torch(name: str, pixels: np.ndarray) -> dict[str, float]:
    """The engine's figures for one drawing (h, w) uint8, z the mean of q(z|x)."""
    model = load(load_cards()[name].weights_path).build_model()
    shown = torch.from_numpy(pixels.reshape(1, -1).astype(np.float32) / 255)
    x = (255 * shown + 0.5) / 256 if isinstance(model.likelihood, ContinuousBernoulli) else shown
    with torch.no_grad():
        mean, logvar = model.encode(x)
        output = model.decode(mean)
        elbo = build_elbo(model.likelihood.log_prob(output, x), mean, logvar)
        error = (model.likelihood.mean(output) - shown).square().mean()
    return {
        "log_likelihood": elbo.mean("log_likelihood"),
        "kl": elbo.mean("kl"),
        "loss": elbo.mean("loss"),
        "mse": float(error),
    }


def test_a_stroke_moves_all_numbers_to_those_of_torch_and_sends_nothing(drawing) -> None:
    page = drawing
    sent = record_of(page).sent
    page.get_by_role("button", name="Clear", exact=True).click()
    settle(page)
    before = numbers(page)
    draw(page, [(0.3, 0.2), (0.7, 0.25), (0.45, 0.8)])
    after = numbers(page)
    pixels = greys(page)
    assert pixels.max() > 250
    assert record_of(page).sent == sent
    for loss, was, shown in zip(FOUR, before, after, strict=True):
        assert was != shown
        expected = by_torch(f"digits-{loss}", pixels)
        # The page has greys between two bytes, weights of few bits, and one decimal.
        for name, value in shown.items():
            tolerance = 0.002 if name == "mse" else 1 + 0.005 * abs(expected["loss"])
            assert value == pytest.approx(expected[name], abs=tolerance), f"{loss}: {name}"


def test_a_clear_an_undo_a_test_digit_and_the_eraser_do_what_they_say(drawing) -> None:
    page = drawing
    first = greys(page)
    page.get_by_role("button", name="Clear", exact=True).click()
    assert greys(page).max() == 0
    page.get_by_role("button", name="Undo", exact=True).click()
    np.testing.assert_array_equal(greys(page), first)
    page.get_by_role("button", name="Start from a test image: 7").click()
    seven = greys(page)
    assert (seven != first).any()
    page.get_by_role("button", name="Eraser", exact=True).click()
    draw(page, [(x, y) for y in np.linspace(0.05, 0.95, 14) for x in (0.02, 0.98)], steps=3)
    assert greys(page).mean() < seven.mean() / 3
    page.get_by_role("button", name="Start from a test image: 7").click()
    page.get_by_role("button", name="Inverted", exact=True).click()
    np.testing.assert_allclose(255.0 - greys(page), seven, atol=1)


def test_a_digit_is_drawn_and_z_is_moved_by_keys_alone(drawing) -> None:
    page = drawing
    page.get_by_role("button", name="Clear", exact=True).click()
    settle(page)
    before = numbers(page)
    board(page).focus()
    for _ in range(6):
        page.keyboard.press("ArrowUp")
    for _ in range(12):
        page.keyboard.press("Shift+ArrowDown")
    settle(page)
    drawn = greys(page)
    assert (drawn[8:20, 14] > 200).all()
    assert numbers(page) != before
    expect(page.locator(".drawing .unseen")).to_contain_text("KL")
    page.keyboard.press("u")
    assert (greys(page) != drawn).any()
    page.locator(".drawing summary").filter(has_text="Move z by hand").press("Enter")
    slider = page.locator(".drawing .sliders input").first
    decoded = greys(page, ".decoded")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    settle(page)
    assert (greys(page, ".decoded") != decoded).any()
    # The row above follows the same z.
    np.testing.assert_array_equal(greys(page, ".decoded"), greys(page, ".line:not(.head) .pixels"))
    page.locator(".drawing .map").focus()
    moved = greys(page, ".decoded")
    page.keyboard.press("ArrowUp")
    settle(page)
    assert (greys(page, ".decoded") != moved).any()
    page.get_by_role("button", name="z from the drawing again").click()
    settle(page)
    np.testing.assert_array_equal(greys(page, ".decoded"), decoded)


def test_a_finger_draws_and_does_not_scroll(browser, app_url) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    try:
        page = context.new_page()
        page.goto(f"{app_url}/train")
        wait_ready(page)
        opened(page)
        page.get_by_role("button", name="Clear", exact=True).tap()
        board(page).scroll_into_view_if_needed()
        box = board(page).bounding_box()
        assert box is not None
        assert box["width"] <= 390
        touch = context.new_cdp_session(page)

        def send(kind: str, *points: tuple[float, float]) -> None:
            places = [
                {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
                for x, y in points
            ]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

        send("touchStart", (0.5, 0.2))
        for y in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
            send("touchMove", (0.5, y))
        send("touchEnd")
        settle(page)
        assert board(page).bounding_box() == box
        drawn = greys(page)
        assert (drawn[6:22, 13:15].max(axis=1) > 200).all()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
    finally:
        context.close()


def test_z_is_drawn_from_q_and_from_the_prior_and_goes_from_drawing_to_drawing(open_page) -> None:
    page = opened(open_page("train"))
    mean = greys(page, ".line:not(.head) .pixels")
    seen = [mean]
    for name in ("a draw from q", "a draw from q", "a draw from the prior"):
        page.get_by_role("button", name=name, exact=True).click()
        settle(page)
        now = greys(page, ".line:not(.head) .pixels")
        assert all((now != other).any() for other in seen)
        seen.append(now)
    page.get_by_role("button", name="the mean of q(z|x)", exact=True).click()
    settle(page)
    np.testing.assert_array_equal(greys(page, ".line:not(.head) .pixels"), mean)
    page.locator(".drawing summary").filter(has_text="Go from one drawing").click()
    expect(page.locator(".drawing .strip")).to_have_count(5)
    share = page.get_by_role("slider", name="Share of the way from A to B")
    for value, again in (("0", True), ("1", False)):
        share.evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }",
            value,
        )
        settle(page)
        # A is the test digit on the board.
        assert (greys(page, ".line:not(.head) .pixels") == mean).all() == again


def test_new_noise_changes_the_draw_and_the_mean_stays(drawing) -> None:
    page = drawing
    picture = ".line:not(.head) [role=cell]:nth-child({}) .pixels"
    mean, drawn = greys(page, picture.format(2)), greys(page, picture.format(3))
    page.get_by_role("button", name="New noise").click()
    settle(page)
    np.testing.assert_array_equal(greys(page, picture.format(2)), mean)
    assert (greys(page, picture.format(3)) != drawn).any()


def test_a_pixel_leads_to_the_other_pages_at_its_values(drawing) -> None:
    """What they make of such an address: test_derivation.py."""
    page = drawing
    page.locator(".drawing .asks").first.click(position={"x": 40, "y": 30})
    told = page.locator(".drawing .asked")
    expect(told).to_contain_text("nats")
    t, p = (
        float(re.search(rf"{name} = ([\d.]+)", told.inner_text()).group(1)) for name in ("t", "p")
    )
    found = {}
    for name, dials in (("Bias", {"t", "h"}), ("Derivation", {"x", "mean", "sigma"})):
        link = told.get_by_role("link", name=f"on {name}")
        assert link.get_attribute("target") == "_blank"
        address = urlsplit(link.get_attribute("href"))
        assert address.path == f"/{name.lower()}"
        query = dict(parse_qsl(address.query))
        assert set(query) == dials
        found |= {dial: float(text) for dial, text in query.items()}
    assert (found["t"], found["x"], found["mean"]) == pytest.approx((t, t, p), abs=0.006)
    assert found["h"] == pytest.approx(max(0.005, min(0.495, abs(t - p))), abs=0.011)


def test_a_picture_of_ones_own_is_shrunk_here_and_drawn_on(drawing) -> None:
    page = drawing
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.method))
    sent = record_of(page).sent
    picture = np.full((56, 84, 3), 255, np.uint8)
    picture[20:36, 30:50] = (10, 20, 200)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    page.locator(".drawing summary").filter(has_text="picture of your own").click()
    choose = page.locator(".drawing input[type=file]")
    choose.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"})
    expect(page.locator(".drawing .photo")).to_contain_text("notes.txt is no picture")
    choose.set_input_files(
        {"name": "own.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    page.get_by_role("button", name="Put it on the canvas").click()
    settle(page)
    luma = picture[:, 14:70] @ np.array([0.299, 0.587, 0.114])
    expected = 255 - luma.reshape(28, 2, 28, 2).mean((1, 3))
    np.testing.assert_allclose(greys(page), expected, atol=1.01)
    assert "POST" not in requests
    assert "PUT" not in requests
    assert record_of(page).sent == sent


def test_networks_come_once_when_they_are_looked_at_and_stay_in_the_browser(open_page) -> None:
    page = open_page("", fresh=True)
    loaded = (
        "performance.getEntriesByType('resource')"
        ".filter((each) => each.name.includes('drawing/weights'))"
    )
    assert page.evaluate(f"{loaded}.length") == 0
    opened(page)
    first = page.evaluate(f"{loaded}.map((each) => each.transferSize)")
    assert len(first) == 1
    assert 0 < first[0] < 1_500_000
    page.reload()
    wait_ready(page)
    opened(page)
    assert page.evaluate(f"{loaded}.map((each) => each.transferSize)") == [0]


def test_the_overview_has_the_small_one_and_the_drawing_goes_along(open_page) -> None:
    page = opened(open_page(""))
    page.get_by_role("button", name="Clear", exact=True).click()
    draw(page, [(0.2, 0.2), (0.8, 0.8)])
    drawn = greys(page)
    expect(page.locator(".drawing .results .line")).to_have_count(4)
    page.get_by_role("link", name="Train", exact=True).first.click()
    page.get_by_role("button", name="Train", exact=True).wait_for()
    wait_ready(page)
    opened(page)
    np.testing.assert_array_equal(greys(page), drawn)


def test_a_set_that_is_not_on_the_server_has_networks_all_the_same(open_page) -> None:
    page = opened(open_page("train?dataset=fashion"))
    assert page.locator(".drawing .starters").count() == 0
    draw(page, [(0.3, 0.3), (0.7, 0.7)])
    expect(page.locator(".drawing .line:not(.head)")).to_have_count(4)
    page.locator(".drawing summary").filter(has_text="Move z by hand").click()
    expect(page.locator(".drawing .latents")).to_contain_text("nats")
    page.locator(".drawing summary").filter(has_text="Go from one drawing").click()
    expect(page.locator(".drawing .strip")).to_have_count(5)


def test_all_of_it_is_sound_for_a_screen_reader(open_page) -> None:
    page = opened(open_page("train"))
    for fold in page.locator(".drawing summary").all():
        fold.click()
    page.locator(".drawing .asks").first.click()
    page.locator(".drawing select").select_option("extra")
    expect(page.locator(".drawing .sliders .named")).to_have_count(2)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(800)
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    for canvas in page.locator(".drawing canvas:not([aria-hidden])").all():
        assert canvas.get_attribute("aria-label")


def answering(answer: dict[str, Any]) -> Callable[[Route], None]:
    def answer_with(route: Route) -> None:
        route.fulfill(**answer)

    return answer_with


def test_networks_that_cannot_be_had_are_a_sentence_and_the_page_works(open_page) -> None:
    page = open_page("teach")
    answers: list[tuple[dict[str, Any], str]] = [
        ({"status": 404, "body": '{"message": "These are gone."}'}, "These are gone."),
        ({"status": 500, "body": "oops"}, "could not be fetched (500)"),
        ({"status": 200, "body": "no weights"}, "damaged or of another version"),
    ]
    for answer, sentence in answers:
        page.context.unroute_all()
        page.context.route("**/drawing/weights/**", answering(answer))
        page.get_by_role("link", name="Train", exact=True).first.click()
        expect(page.locator(".drawing [role=alert]")).to_contain_text(sentence, timeout=SECONDS)
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
        page.get_by_role("link", name="For teachers", exact=True).first.click()
        expect(page.locator(".drawing")).to_have_count(0)


def test_a_browser_that_lacks_the_modules_is_told(open_page) -> None:
    def broken(route: Route) -> None:
        route.fulfill(status=200, content_type="text/javascript", body="let let = of the past;")

    page = open_page("teach")
    page.context.route("**/drawing/**/main.js", broken)
    page.get_by_role("link", name="Train", exact=True).first.click()
    wait_ready(page)
    expect(page.locator(".drawing [role=alert]")).to_contain_text("could not be loaded")


def test_a_finished_run_is_drawn_on_by_whoever_has_its_link(open_page) -> None:
    page = open_page(f"train?{SHORT}&likelihood=gaussian")
    page.get_by_role("button", name="Train", exact=True).first.click()
    fold = page.locator("[data-testid=stExpander]").filter(has_text="what these networks keep")
    fold.wait_for(timeout=2 * SECONDS)
    watcher = open_page(page.url.split("/", 3)[3])
    told = []
    for one in (page, watcher):
        one.locator("[data-testid=stExpander]").filter(has_text="what these networks keep").locator(
            "summary"
        ).first.click()
        opened(one)
        expect(one.locator(".drawing .line:not(.head)")).to_have_count(1)
        one.get_by_role("button", name="Start from a test image: 3").click()
        settle(one)
        told.append(numbers(one))
    assert told[0] == told[1]


def test_an_unknown_runs_networks_are_refused_with_a_sentence(drawing, app_url) -> None:
    request = drawing.context.request
    answer = request.get(f"{app_url}/drawing/weights/run-absent-run-1.abc.bin")
    assert answer.status == 404
    assert "over" in answer.json()["message"]
    for name in ("nothing.bin", "mnist.wrong.bin", "..%2F..%2Fsecret", "run-.bin", "map-x.y.bin"):
        assert request.get(f"{app_url}/drawing/weights/{name}").status in (400, 404)
    assert request.get(f"{app_url}/drawing/0/absent.js").status == 404


def test_every_piece_of_a_stroke_is_followed_by_all_four_and_sends_nothing(drawing) -> None:
    page = drawing
    page.get_by_role("button", name="Clear", exact=True).click()
    settle(page)
    before = numbers(page)
    steps = step_stroke(page, inputs=10)
    assert steps.followed == steps.inputs
    assert (steps.sent, steps.received) == (0, 0)
    after = numbers(page)
    assert all(was != shown for was, shown in zip(before, after, strict=True))
