// A figure in full screen. Streamlit gives it the window's height, whatever else is to be seen: its
// dials lie below its layer, and a presenter's larger letters push its axis out. What it reads as the
// window's height is the room that there is, while a figure fills it.
const OPEN = "[data-testid=stFullScreenFrame]:has([aria-label^='Close fullscreen'])";

// The height for the figure in `frame`, above its row of dials, in a window of this height.
function roomFor(frame, height) {
  const { paddingTop, paddingBottom } = getComputedStyle(frame);
  const padding = parseFloat(paddingTop) + parseFloat(paddingBottom);
  const figure = frame.querySelector(".stVegaLiteChart");
  const larger = Number(figure && getComputedStyle(figure).getPropertyValue("--larger")) || 1;
  const dials = frame.closest("[class*=st-key-steered-]")?.querySelector(":scope > [class*=st-key-dock-]");
  const below = dials?.getBoundingClientRect().height ?? 0;
  return (height - below - padding) / larger + padding;
}

function watchFullScreen() {
  const own = Object.getOwnPropertyDescriptor(window, "innerHeight");
  let fitted = null;
  const fit = () => {
    const frame = document.querySelector(OPEN);
    const room = frame && roomFor(frame, own.get.call(window));
    if (room === fitted) return;
    fitted = room;
    document.querySelector("[data-full-screen]")?.removeAttribute("data-full-screen");
    frame?.closest("[class*=st-key-steered-]")?.setAttribute("data-full-screen", "");
    Object.defineProperty(window, "innerHeight", frame ? { configurable: true, get: () => room } : own);
    window.dispatchEvent(new Event("resize"));
  };
  // Opened and closed by its buttons, and closed by Escape; then Streamlit has drawn it.
  for (const act of ["click", "keyup", "resize"]) window.addEventListener(act, () => setTimeout(fit), true);
}
