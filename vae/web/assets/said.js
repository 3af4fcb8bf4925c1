// The end of what just came is brought above what stands at the foot of the window, if it is below.
function bring(key, frames = 60) {
  const box = document.querySelector(`.st-key-${CSS.escape(key)}`);
  // It may be told of before it is there; a frame later it has its place, and its figure the height
  // that is kept for it.
  if (!box?.querySelector(".stVegaLiteChart")) {
    if (frames) requestAnimationFrame(() => bring(key, frames - 1));
    return;
  }
  const main = box.closest("[data-testid=stMain]");
  const place = box.closest("[class*=st-key-steered-]") ?? main;
  const feet = [...place.querySelectorAll("[data-testid=stLayoutWrapper], [class*=st-key-dock-]")]
    .filter((each) => getComputedStyle(each).position === "sticky");
  const foot = main.clientHeight - feet.reduce((sum, each) => sum + each.offsetHeight, 0) - 8;
  const { top, bottom } = box.getBoundingClientRect();
  const head = document.querySelector("[data-testid=stHeader]")?.offsetHeight ?? 0;
  const down = Math.min(bottom - foot, top - head);
  if (down > 0) main.scrollBy({ top: down });
}

// One sentence for a screen reader, in a region that stays: only what changes in it is spoken.
export default function (component) {
  const { parentElement, data: [data] } = component;
  const region = parentElement.querySelector("p");
  const opens = region.dataset.said === undefined;
  if (region.dataset.said !== data.said) {
    region.dataset.said = data.said;
    region.textContent = opens && data.quiet ? "" : data.said;
    if (!opens && data.bring) requestAnimationFrame(() => bring(data.bring));
  }
  // Where the focus goes when a button that had it is greyed (assets/hands.js).
  const hands = (globalThis.vaeHands ??= { follow: {}, rows: {}, moved: -Infinity });
  Object.assign(hands.follow, data.follow);
  Object.assign(hands.rows, data.rows);
}
