// From section to section in front of a class: Next and Back, on a clicker's keys too.
import { button, element } from "./elements.js";

const headings = () => [...document.querySelectorAll("[data-testid=stMain] :is(h1, h2)[id]")];

// The index of the section that is being looked at, from the tops of all and the window's height.
export function current(tops, height) {
  return tops.filter((top) => top < height * 0.3).length - 1;
}

// Where a press leads: the next section or the one before, or nowhere.
export function goal(tops, height, step) {
  const at = current(tops, height);
  // Back from within a section is its beginning.
  const within = step < 0 && at >= 0 && tops[at] < -height * 0.2;
  const next = within ? at : at + step;
  return next >= 0 && next < tops.length ? next : -1;
}

const typing = (target) => target instanceof Element && target.matches("input:not([type=range]), textarea, select, [contenteditable=true]");

export function mount(root) {
  const place = element("span", { class: "place", "aria-live": "polite" });
  const move = (step) => {
    const found = headings();
    const next = goal(found.map((each) => each.getBoundingClientRect().top), window.innerHeight, step);
    if (next < 0) return false;
    found[next].scrollIntoView({ block: "start" });
    place.textContent = `${next + 1}/${found.length}`;
    return true;
  };
  const key = (event) => {
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || typing(event.composedPath()[0])) return;
    if (move(step)) event.preventDefault();
  };
  window.addEventListener("keydown", key, true);
  root.replaceChildren(
    element(
      "nav",
      { class: "steps", "aria-label": "Sections" },
      button("Back", () => move(-1), { title: "The section before: PageUp" }),
      place,
      button("Next", () => move(1), { title: "The next section: PageDown" }),
    ),
  );
  return () => window.removeEventListener("keydown", key, true);
}
