// For whoever has no pointer: links past what stands before the dials and the sections, and the
// focus, which must not be lost when the element that has it is replaced or greyed.
const shared = (globalThis.vaeHands ??= { follow: {}, rows: {}, moved: null });
const FIELDS = ":is(a[href], button, input, select, textarea, summary, [tabindex='0']):not([disabled])";
const DEAF = 600;
// What moves the page where nothing has the focus.
const SCROLLS = [" ", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];

const keyed = (element) => element?.closest?.("[class*=st-key-]");
const keyOf = (box) => box.className.match(/st-key-([\w-]+)/)[1];
const boxOf = (key) => document.querySelector(`.st-key-${CSS.escape(key)}`);
const fieldsOf = (box) => [...(box?.querySelectorAll(FIELDS) ?? [])];

// Where the focus is: the keys of the boxes around it, the innermost first, and which field of it.
function placeOf(element) {
  const keys = [];
  for (let box = keyed(element); box; box = keyed(box.parentElement)) keys.push(keyOf(box));
  const field = fieldsOf(keyed(element)).indexOf(element);
  return { element, keys, field, name: element.textContent };
}

const isLost = ({ element }) => !element.isConnected || element.disabled === true;

// What takes the focus for the box of this key: its first field, or a row of buttons as a whole,
// from which the next Tab goes on.
function fieldOf(key) {
  const box = boxOf(key);
  if (!box || !shared.rows[key]) return fieldsOf(box)[0];
  Object.assign(box, { tabIndex: -1, role: "group", ariaLabel: shared.rows[key] });
  return box;
}

function refocus() {
  const { last } = shared;
  if (!last || document.activeElement !== document.body || !isLost(last)) return;
  shared.lost ??= performance.now();
  const [own, ...around] = last.keys;
  const follow = shared.follow[own] ?? [];
  const same = fieldsOf(boxOf(own ?? ""));
  const next =
    same[Math.min(last.field, same.length - 1)] ??
    (follow.length ? follow : around).map(fieldOf).find(Boolean);
  if (!next) return;
  // The same action, drawn anew, is what a key was meant for.
  const other = next.textContent !== last.name;
  next.focus({ preventScroll: true });
  shared.moved = other ? { to: next, at: performance.now() } : null;
}

// Whether the focus has only just been brought to this element: not where a hand has led it since.
const isNew = (element) =>
  shared.moved?.to === element && performance.now() - shared.moved.at < DEAF;

// Whether this key leaves what was lost: not one that was pressed twice on it, or is held still.
const goesOn = ({ key, repeat }) =>
  key === "Tab" ||
  (SCROLLS.includes(key) && !repeat && shared.lost && performance.now() - shared.lost > DEAF);

function watchFocus() {
  document.addEventListener("focusin", ({ target }) => {
    if (shared.moved?.to !== target) shared.moved = null;
    shared.lost = undefined;
    shared.last = placeOf(target);
  });
  // Whoever presses elsewhere, goes on by Tab or reads on is not called back. Whoever waits is, as
  // long as it takes: on a busy machine a run begins late.
  document.addEventListener("pointerdown", () => (shared.last = null), true);
  document.addEventListener(
    "keydown",
    (event) => {
      if (document.activeElement === document.body && goesOn(event)) shared.last = null;
      if (!["Enter", " "].includes(event.key) || !event.target.closest?.("button")) return;
      // A key that is held, or pressed twice, was not meant for the action that has the focus now.
      if (event.repeat || isNew(event.target)) event.preventDefault();
    },
    true,
  );
  new MutationObserver(refocus).observe(document.body, {
    subtree: true,
    childList: true,
    attributeFilter: ["disabled"],
  });
}

const main = (selector) => [...document.querySelectorAll(`[data-testid=stMain] ${selector}`)];

// The dials in view, docked ones too; the page's first dials; where it has none, what starts it.
function findControls() {
  const dials = main("[class*=dials]").filter((box) => /st-key-[\w-]*dials/.test(box.className));
  const inView = dials.find((box) => {
    const { top, bottom } = box.getBoundingClientRect();
    return bottom > 0 && top < window.innerHeight;
  });
  return inView ?? dials[0] ?? main(":is(.st-key-train-buttons, .stElementContainer:has(textarea))")[0];
}

function goTo(target) {
  target.tabIndex = -1;
  target.scrollIntoView({ block: "nearest" });
  target.focus({ preventScroll: true });
}

const findSections = () => main(":is(h2, h3)[id]");

function fillSections(list) {
  const links = findSections().map((heading) => {
    const link = document.createElement("a");
    link.href = `#${heading.id}`;
    link.textContent = heading.textContent.trim();
    link.addEventListener("click", (event) => {
      event.preventDefault();
      goTo(heading);
      heading.scrollIntoView();
    });
    return link;
  });
  list.replaceChildren(...links);
}

export default function (component) {
  const root = component.parentElement.querySelector(".hands");
  drawNearby();
  if (!shared.watching) {
    shared.watching = true;
    watchFocus();
    watchWidths();
    watchFullScreen();
  }
  if (root.dataset.ready) return;
  root.dataset.ready = "1";
  const [controls, sections] = root.children;
  controls.addEventListener("click", (event) => {
    event.preventDefault();
    const found = findControls();
    if (found) goTo(found);
  });
  sections.addEventListener("toggle", () => fillSections(sections.querySelector("div")));
  root.addEventListener("focusin", () => {
    sections.hidden = findSections().length === 0;
  });
}

// Vega takes a new width for no change where it is by chance that of the drawing without its axes:
// the figure keeps its old one. A pixel less is a change. A slow machine draws late, so that a figure
// is asked more than once before it is taken for one with a width of its own.
const LOOKS = [400, 1200, 3000, 6000, 10_000];
const MOST_ASKED = 4;

function watchWidths() {
  let timers = [];
  let asked = new WeakMap();
  const fixed = new WeakSet();
  const figures = () => document.querySelectorAll(".stVegaLiteChart.fit-x:has(.marks)");
  const look = () => {
    for (const figure of figures()) {
      const marks = figure.querySelector(".marks");
      const drawn = parseFloat(marks.style.width) || Number(marks.getAttribute("width"));
      const room = figure.clientWidth;
      if (!room || drawn <= room + 1 || fixed.has(figure)) continue;
      const times = asked.get(figure) ?? 0;
      asked.set(figure, times + 1);
      if (times < MOST_ASKED) figure.style.maxWidth = `${room - 1}px`;
      else {
        fixed.add(figure);
        figure.style.maxWidth = "";
      }
    }
  };
  new ResizeObserver(() => {
    timers.forEach(clearTimeout);
    asked = new WeakMap();
    for (const figure of figures()) figure.style.maxWidth = "";
    timers = LOOKS.map((later) => setTimeout(look, later));
  }).observe(document.querySelector("[data-testid=stMain]") ?? document.body);
}
