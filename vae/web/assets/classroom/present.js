// From section to section in front of a class: Next and Back, on a clicker's keys too; the way to
// the room, and the present view as a QR code, wherever on the page one is.
import { button, element } from "./elements.js";
import { qr } from "./share.js";

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

const tops = (found) => found.map((each) => each.getBoundingClientRect().top);

// The address of what is being looked at, for who has no projector: the dials know where they
// stand, where a page has some.
function view(host) {
  const url = new URL(globalThis.vaeDials?.link?.() ?? window.location.href);
  for (const own of ["present", "notes"]) url.searchParams.delete(own);
  if (host) url.host = host;
  const found = headings();
  const at = current(tops(found), window.innerHeight);
  if (at > 0) url.hash = found[at].id;
  return url.href;
}

export function mount(root, data, address) {
  const place = element("span", { class: "place", "aria-live": "polite" });
  const move = (step) => {
    const found = headings();
    const next = goal(tops(found), window.innerHeight, step);
    const main = document.querySelector("[data-testid=stMain]");
    const before = main.scrollTop;
    // Past the last section, and on a page without any, by most of a window.
    if (next < 0) main.scrollBy({ top: 0.8 * step * window.innerHeight });
    else found[next].scrollIntoView({ block: "start" });
    if (next >= 0) place.textContent = `${next + 1}/${found.length}`;
    return next >= 0 || main.scrollTop !== before;
  };
  const card = element("div", { class: "qr-card", hidden: true });
  const code = button("QR", () => {
    card.hidden = !card.hidden;
    code.setAttribute("aria-expanded", String(!card.hidden));
    const link = view(data.host);
    card.replaceChildren(...(card.hidden ? [] : [qr(link, address), element("span", { class: "qr-link", text: link })]));
  }, { title: "QR code of this view", "aria-expanded": "false" });
  const room = button("Room", () => {
    document.querySelector(".classroom .room")?.scrollIntoView({ block: "center" });
    document.querySelector(".classroom .room :is(select, button)")?.focus({ preventScroll: true });
  }, { title: "The room, at the top of the page" });
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
      room,
      code,
      card,
    ),
  );
  return () => window.removeEventListener("keydown", key, true);
}
