"""What browser tests share: a page that is ready, a dial that is dragged, counts of what moved."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, WebSocket

READY = (
    "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
)

# Counts animation frames, and those in which a figure was really drawn anew: a change inside a
# chart's SVG, a cleared canvas, or new pixels on one. Between watch() and rest() only: asking for
# every frame keeps a page that has nothing to draw at work.
_COUNTERS = """
(() => {
  const counts = (window.__counts = { frames: 0, redraws: 0, dirty: false, seen: new WeakSet() });
  let watching = false;
  for (const name of ["clearRect", "putImageData"]) {
    const act = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      counts.dirty = true;
      return act.apply(this, given);
    };
  }
  const everything = { attributes: true, childList: true, characterData: true, subtree: true };
  const observer = new MutationObserver(() => { counts.dirty = true; });
  counts.watch = () => {
    for (const svg of document.querySelectorAll("[data-testid=stVegaLiteChart] svg.marks")) {
      if (counts.seen.has(svg)) continue;
      counts.seen.add(svg);
      observer.observe(svg, everything);
    }
    if (!watching) requestAnimationFrame(tick);
    watching = true;
  };
  counts.rest = () => { watching = false; };
  const tick = () => {
    if (!watching) return;
    counts.frames += 1;
    if (counts.dirty) counts.redraws += 1;
    counts.dirty = false;
    requestAnimationFrame(tick);
  };
})();
"""

# What moved on the page without a hand that moved it: Chromium's own score, 0 to 1 and more, with
# the elements that it names.
_SHIFTS = """
(() => {
  const shifts = (window.__shifts = []);
  const named = ({ node, previousRect, currentRect }) => {
    const element = node?.nodeType === 1 ? node : node?.parentElement;
    const key = element?.closest("[class*=st-key-]")?.className.match(/st-key-[\\w-]+/)?.[0] ?? "";
    const text = (element?.innerText ?? "").slice(0, 30);
    return `${key} ${text}: ${Math.round(previousRect.y)} to ${Math.round(currentRect.y)}`;
  };
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries())
      if (!hadRecentInput) shifts.push([value, sources.map(named)]);
  }).observe({ type: "layout-shift", buffered: true });
})();
"""

# How many sections a page had when its first figure came.
_SECTIONS = """
new MutationObserver((_, watcher) => {
  if (!document.querySelector(".stVegaLiteChart .marks")) return;
  window.__sections = document.querySelectorAll("[data-testid=stMain] h2").length;
  watcher.disconnect();
}).observe(document, { childList: true, subtree: true });
"""


@dataclass
class Record:
    """What a page did since it was opened."""

    errors: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    sent: int = 0
    received: int = 0

    def clear(self) -> None:
        """Forget everything: the page has another visitor."""
        self.errors.clear()
        self.console.clear()
        self.outside.clear()
        self.sent = self.received = 0


@dataclass(frozen=True)
class Drag:
    """One drag: its time, animation frames, frames that redrew a figure, websocket messages."""

    seconds: float
    frames: int
    redraws: int
    sent: int
    received: int

    @property
    def frames_per_second(self) -> float:
        return self.frames / self.seconds

    @property
    def redraws_per_second(self) -> float:
        return self.redraws / self.seconds


def watch(page: Page) -> Record:
    """Record ``page``'s errors, requests and websocket messages; call before it is opened."""
    record = Record()

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            record.console.append(message.text)

    def on_request(request: Request) -> None:
        local = ("http://127.0.0.1:", "http://localhost:", "data:", "blob:")
        if not request.url.startswith(local):
            record.outside.append(request.url)

    def on_websocket(socket: WebSocket) -> None:
        socket.on("framesent", lambda _: _count(record, "sent"))
        socket.on("framereceived", lambda _: _count(record, "received"))

    page.on("pageerror", lambda error: record.errors.append(str(error)))
    page.on("console", on_console)
    page.on("request", on_request)
    page.on("websocket", on_websocket)
    page.add_init_script(_COUNTERS)
    page.add_init_script(_SHIFTS)
    page.add_init_script(_SECTIONS)
    page.__dict__["record"] = record
    return record


def _count(record: Record, name: str) -> None:
    setattr(record, name, getattr(record, name) + 1)


def record_of(page: Page) -> Record:
    """The record of a page that ``open_page`` opened."""
    return page.__dict__["record"]


def wait_ready(page: Page, seconds: float = 90.0) -> None:
    """Wait until the page is connected, its script has run and the figures near are drawn.

    What is folded away is drawn when it is opened, what is far away when it comes near: or by
    ``draw_all``.
    """
    page.locator(READY).wait_for(state="attached", timeout=seconds * 1000)
    # Half a window above and below is near (assets/nearby.js).
    page.wait_for_function(
        """() => !document.querySelector("[data-testid=stMain] [data-testid=stSkeleton]")
        && [...document.querySelectorAll("[data-testid=stVegaLiteChart]")].every((chart) => {
            const { top, bottom } = chart.getBoundingClientRect();
            const far = bottom < -0.5 * innerHeight || top > 1.5 * innerHeight;
            const waits = far && globalThis.vaeNearby && chart.dataset.near === undefined;
            return waits || !chart.checkVisibility() || chart.querySelector(".vega-embed .marks");
        })""",
        timeout=seconds * 1000,
        # Not at every frame: each question lays the growing page out.
        polling=100,
    )


def draw_all(page: Page, seconds: float = 90.0) -> None:
    """Have all figures drawn that are not folded away, also far from the window, and wait."""
    wait_ready(page, seconds)
    page.evaluate("() => globalThis.vaeNearby?.drawAll()")
    wait_ready(page, seconds)


def wait_fits(page: Page) -> None:
    """Wait until nothing is wider than the window: a phone never scrolls sideways."""
    page.wait_for_function(
        "() => [document.documentElement, document.querySelector('[data-testid=stMain]')]"
        ".every((part) => part.scrollWidth <= part.clientWidth)"
    )


def shifted(page: Page) -> tuple[float, list[str]]:
    """How much of the page moved since it was opened, or since the last call, and what moved most.

    Chromium's layout-shift score: 0.1 and less is good (web.dev/articles/cls).
    """
    shifts = page.evaluate("() => window.__shifts.splice(0)")
    worst = max(shifts, default=(0.0, []))
    return sum(value for value, _ in shifts), [f"{worst[0]:.3f}", *worst[1]]


def sections_before_figure(page: Page) -> int | None:
    """How many sections were laid out before the page's first figure; None where none was drawn."""
    return page.evaluate("() => window.__sections ?? null")


def dial(page: Page, name: str) -> Locator:
    """The slider of the dial ``name``, in the first row of dials that has it."""
    return page.locator(f"#dial-{name}").first


def press_preset(page: Page, name: str) -> None:
    """Press a preset of dials; where there is no room for it, in the menu that holds it."""
    button = page.locator("button.preset", has_text=name).first
    if not button.is_visible():
        button.evaluate("button => button.closest('.actions').querySelector('.more').click()")
    button.click()


def drag_dial(
    page: Page, name: str, start: float = 0.1, end: float = 0.9, seconds: float = 2.0
) -> Drag:
    """Drag the dial from ``start`` to ``end`` (shares of its width) and back, for ``seconds``."""
    slider = dial(page, name)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None, f"the dial {name} is not on the page"
    middle = box["y"] + box["height"] / 2

    def x(share: float) -> float:
        return box["x"] + box["width"] * share

    def move(passed: float) -> None:
        # There in the first half of the time, back in the second.
        way = 1 - abs(1 - 2 * passed)
        page.mouse.move(x(start + (end - start) * way), middle)

    return _drag(page, move, seconds)


def sweep_dial(page: Page, name: str, seconds: float = 1.5) -> Drag:
    """Give the dial another place at every animation frame, there and back: as a hand's pointer
    does, whose events wait for no answer."""
    slider = dial(page, name)
    slider.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    record = record_of(page)
    sent, received = record.sent, record.received
    took, frames, redraws = slider.evaluate(
        """async (input, seconds) => {
            const [low, high] = [Number(input.min), Number(input.max)];
            __counts.watch();
            __counts.frames = __counts.redraws = 0;
            const began = performance.now();
            const passed = () => (performance.now() - began) / 1000;
            while (passed() < seconds) {
                await new Promise(requestAnimationFrame);
                const way = 1 - Math.abs(1 - (2 * passed()) / seconds);
                input.value = low + (high - low) * (0.15 + 0.7 * way);
                input.dispatchEvent(new Event("input", { bubbles: true }));
            }
            __counts.rest();
            return [passed(), __counts.frames, __counts.redraws];
        }""",
        seconds,
    )
    page.wait_for_timeout(300)
    return Drag(took, frames, redraws, record.sent - sent, record.received - received)


def drag_stroke(page: Page, seconds: float = 2.0) -> Drag:
    """Draw a winding stroke on the drawing's board; a redraw is a frame with new pictures."""
    board = page.locator(".drawing .board")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    assert box is not None, "there is no drawing on the page"

    def move(passed: float) -> None:
        across, down = math.sin(17 * passed), math.cos(29 * passed)
        page.mouse.move(
            box["x"] + box["width"] * (0.5 + 0.35 * across),
            box["y"] + box["height"] * (0.5 + 0.35 * down),
        )

    return _drag(page, move, seconds)


def _drag(page: Page, move: Callable[[float], None], seconds: float) -> Drag:
    """Press, ``move`` (to where it is after this share of the time) without a pause, release."""
    move(0)
    page.mouse.down()
    page.wait_for_timeout(200)
    record = record_of(page)
    page.evaluate("() => { __counts.watch(); __counts.frames = __counts.redraws = 0; }")
    sent, received = record.sent, record.received
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        move(passed / seconds)
    frames, redraws = page.evaluate("() => [__counts.frames, __counts.redraws]")
    took = time.perf_counter() - began
    page.mouse.up()
    page.wait_for_timeout(300)
    page.evaluate("() => __counts.rest()")
    return Drag(took, frames, redraws, record.sent - sent, record.received - received)


@dataclass(frozen=True)
class Steps:
    """A dial or a pen moved step by step: inputs, those that a figure followed, websocket
    messages, and the browser's processor seconds for one input."""

    inputs: int
    followed: int
    sent: int
    received: int
    cost: float


def step_dial(page: Page, name: str, inputs: int = 30) -> Steps:
    """Move the dial through ``inputs`` positions; each waits for a redraw, 120 frames at most."""
    return _step(
        page,
        dial(page, name),
        """(input, share) => {
            const [low, high] = [Number(input.min), Number(input.max)];
            input.value = low + (high - low) * (0.2 + 0.6 * share);
            input.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        inputs,
    )


def step_stroke(page: Page, inputs: int = 30) -> Steps:
    """Draw a wave of ``inputs`` pieces; each waits for a redraw, 120 frames at most."""
    board = page.locator(".drawing .board")
    steps = _step(
        page,
        board,
        """(board, share) => {
            const box = board.getBoundingClientRect();
            const clientX = box.left + box.width * (0.1 + 0.8 * share);
            const clientY = box.top + box.height * (0.5 + 0.3 * Math.sin(20 * share));
            const place = { clientX, clientY, pointerId: 1, bubbles: true };
            // A pointer that no hand moves cannot be captured.
            board.setPointerCapture = () => {};
            if (share === 0) board.dispatchEvent(new PointerEvent("pointerdown", place));
            else board.dispatchEvent(new PointerEvent("pointermove", place));
        }""",
        inputs,
    )
    board.dispatch_event("pointerup")
    return steps


def _step(page: Page, moved: Locator, move: str, inputs: int) -> Steps:
    """Call ``move``, a function of the element and of the share of the way, ``inputs`` times."""
    moved.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    session = page.context.new_cdp_session(page)
    # Thread time: other processes on the machine do not count.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    record = record_of(page)
    sent, received, before = record.sent, record.received, busy()
    followed = moved.evaluate(
        f"""async (element, inputs) => {{
            const move = {move};
            __counts.watch();
            let followed = 0;
            for (let step = 0; step < inputs; step += 1) {{
                const redraws = __counts.redraws;
                move(element, step / inputs);
                for (let frame = 0; frame < 120 && __counts.redraws === redraws; frame += 1)
                    await new Promise(requestAnimationFrame);
                if (__counts.redraws > redraws) followed += 1;
            }}
            return followed;
        }}""",
        inputs,
    )
    cost = (busy() - before) / inputs
    return Steps(inputs, followed, record.sent - sent, record.received - received, cost)


def restyled(browser: Browser, page: Page, name: str) -> float:
    """The elements whose style a redraw asks for anew, as a share of all of the page's."""
    step_dial(page, name, 5)
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    inputs = step_dial(page, name, 10).inputs
    events = json.loads(browser.stop_tracing())["traceEvents"]
    counts = [event.get("args", {}).get("elementCount", 0) for event in events]
    return sum(counts) / inputs / page.locator("*").count()


def set_dial(page: Page, name: str, position: float) -> None:
    """Put the dial at ``position`` (log10 of the value for a logarithmic one)."""
    dial(page, name).evaluate(
        """(input, at) => {
            input.value = at;
            input.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        position,
    )
    # The figures follow at the next animation frames.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")


def unfold(page: Page) -> None:
    """Open all expanders and folds; what has to be drawn in them comes when it is looked at."""
    folded = page.locator(":is([data-testid=stExpander] details, .fold):not([open]) > summary")
    folded.evaluate_all("(labels) => labels.forEach((label) => label.click())")


def open_everything(page: Page) -> None:
    """Open all expanders and folds and draw all figures, to look at what they hide too."""
    unfold(page)
    draw_all(page)
