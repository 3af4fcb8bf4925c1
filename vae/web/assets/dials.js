// Sliders that drive every figure on the page in the browser alone.
// Each Vega chart binds its parameters to range inputs of its own; a dial sets all inputs that
// carry its signal's name, so panels that share a parameter move together.
const shared = (globalThis.vaeDials ??= {
  values: new Map(),
  choices: new Map(),
  listeners: new Set(),
});
// The rows of dials on the page.
shared.peers ??= new Set();
// How others on the page set a dial, by its name: with a value, not a position.
shared.setters ??= new Map();
const REST = 150;
const KEPT = "vae-dials";

const position = (dial, value) => (dial.log ? Math.log10(value) : value);
const value = (dial, at) => (dial.log ? 10 ** at : at);

function format(dial, number) {
  const size = Math.abs(number);
  const digits = dial.log
    ? Math.max(0, Math.min(6, dial.digits - 1 - Math.floor(Math.log10(size))))
    : dial.digits;
  const text = number.toFixed(digits).replace("-", "\u2212");
  return dial.unit ? `${text} ${dial.unit}` : text;
}

// Figures out of sight follow when the dial rests or when they come into view, so that a drag
// spends its frames on what is seen.
const inView = new WeakMap();
const sight = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) inView.set(entry.target, entry.isIntersecting);
    for (const listener of shared.listeners) listener();
  },
  { rootMargin: "100px" },
);

function isSeen(input) {
  const figure = input.closest(".stVegaLiteChart");
  if (!figure) return true;
  if (!inView.has(figure)) {
    inView.set(figure, true);
    sight.observe(figure);
  }
  return inView.get(figure);
}

function drive(dial, at, everywhere) {
  const inputs = document.querySelectorAll(`form.vega-bindings input[name="${dial.signal}"]`);
  for (const input of inputs) {
    if (Math.abs(Number(input.value) - at) < 1e-12) continue;
    if (!everywhere && !isSeen(input)) continue;
    input.value = at;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// Where dials were left, for this tab alone: a reload opens them there. The address stays the
// server's: what it opened a dial with is kept beside each place, and a link that opens it
// otherwise wins.
function kept() {
  try {
    const all = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    const page = window.location.pathname;
    const [entry] = performance.getEntriesByType("navigation");
    // Whoever comes by a link, or types the address, gets what it says.
    if (!shared.arrived && entry?.type === "navigate" && delete all[page])
      sessionStorage.setItem(KEPT, JSON.stringify(all));
    shared.arrived = true;
    return { all, here: (all[page] ??= {}) };
  } catch {
    // A frame may have no storage.
    return { all: {}, here: {} };
  }
}

function keep(name, opened, at) {
  const { all, here } = kept();
  here[name] = [opened, at];
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(all));
  } catch {
    // Then a reload opens what the address says.
  }
}

function link() {
  const url = new URL(window.location.href);
  // Opened as localhost, which is another machine for whoever gets the link.
  if (shared.host) url.host = shared.host;
  for (const [name, text] of shared.values) url.searchParams.set(name, text);
  // The section that is being looked at: the last heading above the middle of the window.
  const headings = document.querySelectorAll("[data-testid=stMain] :is(h1, h2, h3)[id]");
  const above = [...headings].filter(
    (heading) => heading.getBoundingClientRect().top < window.innerHeight / 2,
  );
  if (above.length) url.hash = above.at(-1).id;
  return url.toString();
}

// For a presenter's own QR code.
shared.link = link;

async function copyLink(button) {
  const address = link();
  try {
    await navigator.clipboard.writeText(address);
    button.textContent = "Link copied";
  } catch {
    // The clipboard needs a secure context: show the address instead, selected.
    const field = document.createElement("input");
    field.value = address;
    field.readOnly = true;
    field.setAttribute("aria-label", "Link to this view");
    button.after(field);
    field.select();
    button.textContent = "Copy this address";
  }
  setTimeout(() => (button.textContent = "Link"), 2500);
}

// A link to a section: figures above it that are drawn later must not push it out of sight. It is
// held in place until the page rests or the reader moves.
function holdSection() {
  const id = decodeURIComponent(window.location.hash.slice(1));
  const page = document.querySelector("[data-testid=stMainBlockContainer]");
  if (!id || !page || shared.held === window.location.href) return;
  shared.held = window.location.href;
  const observer = new ResizeObserver(() => document.getElementById(id)?.scrollIntoView());
  const moves = ["wheel", "touchstart", "pointerdown", "keydown", "hashchange"];
  const release = () => {
    observer.disconnect();
    for (const move of moves) window.removeEventListener(move, release);
  };
  for (const move of moves) window.addEventListener(move, release, { passive: true });
  observer.observe(page);
  setTimeout(release, 5000);
}

function makeRow(dial) {
  const row = document.createElement("div");
  row.className = "dial";
  const id = `dial-${dial.name}`;
  row.innerHTML = `<label for="${id}"><span></span><span class="long"></span></label><output for="${id}" aria-live="off"></output><input id="${id}" type="range">`;
  // Of "t, the target" and "\u03c3 of the Gaussian" the letter alone where there is no room (dials.css).
  const [, symbol, long] = dial.label.match(/^(.+?)(,.*| of the .*)?$/);
  const [first, rest] = row.querySelectorAll("label span");
  first.textContent = symbol;
  rest.textContent = long ?? "";
  const input = row.querySelector("input");
  input.ariaLabel = dial.label;
  input.min = position(dial, dial.minimum);
  input.max = position(dial, dial.maximum);
  input.step = dial.step;
  return row;
}

function makeButton(text, className, press) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.className = className;
  button.addEventListener("click", () => press(button));
  return button;
}

// Presets beside the dials, or in a menu where they would begin another row.
function makeActions(root, data, apply) {
  const actions = document.createElement("div");
  actions.className = "actions";
  const box = document.createElement("div");
  box.className = "presets";
  const more = makeButton("Examples \u25B4", "more", () => open(!box.classList.contains("open")));
  const open = (wanted) => {
    box.classList.toggle("open", wanted);
    more.setAttribute("aria-expanded", wanted);
  };
  open(false);
  for (const preset of data.presets) {
    const press = () => {
      apply(preset.values);
      if (!box.classList.contains("open")) return;
      more.focus();
      open(false);
    };
    box.append(makeButton(preset.label, "preset", press));
  }
  actions.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.classList.contains("open")) return;
    more.focus();
    open(false);
  });
  actions.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !actions.contains(event.relatedTarget)) open(false);
  });
  if (data.presets.length) actions.append(more, box);
  const copy = makeButton("Link", "copy", () => copyLink(copy));
  copy.ariaLabel = copy.title = "Copy link to this view";
  // What is fetched when it is asked for: a picture of the link, and code for a slide.
  const taken = (text, label, name) => {
    const button = makeButton(text, "copy", async () => {
      const view = await import(address(`${data.assets}view.js`));
      view[name](button, link(), address);
    });
    button.title = label;
    return button;
  };
  if (!data.bare)
    actions.append(copy, taken("QR", "QR code of this view", "code"), taken("Embed", "Copy embed code: this figure in a slide", "embed"));
  if (actions.children.length) root.append(actions);
  let width = 0;
  const fit = () => {
    if (root.offsetWidth === width) return;
    width = root.offsetWidth;
    root.classList.add("menu");
    const low = root.offsetHeight;
    root.classList.remove("menu");
    if (root.offsetHeight > low) root.classList.add("menu");
  };
  // At once: an observer's first call is a frame late, and would move what is below.
  fit();
  const observer = new ResizeObserver(fit);
  observer.observe(root);
  return observer;
}

export default function (component) {
  const { parentElement, data: [data] } = component;
  const root = parentElement.querySelector(".dials");
  const signature = JSON.stringify(data);
  if (root.dataset.signature === signature) return root.dispose;
  root.dispose?.();
  root.dataset.signature = signature;
  shared.host = data.host;
  root.replaceChildren();

  const current = new Map();
  const rows = new Map();
  let frame = 0;
  let rest = 0;

  const show = (dial) => {
    const at = current.get(dial.name);
    const { input, output } = rows.get(dial.name);
    const text = format(dial, value(dial, at));
    input.value = at;
    input.setAttribute("aria-valuetext", text);
    output.textContent = text;
    shared.values.set(dial.name, String(Number(value(dial, at).toPrecision(6))));
  };
  const apply = () => {
    frame = 0;
    for (const dial of data.dials) drive(dial, current.get(dial.name), false);
  };
  const moved = new Set();
  const settle = () => {
    for (const dial of data.dials) drive(dial, current.get(dial.name), true);
    for (const dial of moved) keep(dial.name, dial.value, current.get(dial.name));
    moved.clear();
  };
  const schedule = () => {
    frame ||= requestAnimationFrame(apply);
    clearTimeout(rest);
    rest = setTimeout(settle, REST);
  };
  // What the page's other rows of dials know of this one: a dial that several sections show is one.
  const peer = {
    // Where a dial stands that opened at the same value.
    at: (name, opening) =>
      data.dials.some((dial) => dial.name === name && dial.value === opening)
        ? current.get(name)
        : undefined,
    take: (values) => {
      const taken = data.dials.filter((dial) => dial.name in values);
      for (const dial of taken) {
        current.set(dial.name, position(dial, values[dial.name]));
        moved.add(dial);
        show(dial);
      }
      if (taken.length) schedule();
    },
    holds: (name) => data.dials.some((dial) => dial.name === name),
  };
  const tell = (values) => {
    for (const each of shared.peers) each.take(values);
  };

  const { here } = kept();

  for (const dial of data.dials) {
    const row = makeRow(dial);
    const input = row.querySelector("input");
    rows.set(dial.name, { input, output: row.querySelector("output") });
    input.addEventListener("input", () => tell({ [dial.name]: value(dial, Number(input.value)) }));
    root.append(row);
    const elsewhere = [...shared.peers].map((each) => each.at(dial.name, dial.value));
    const [opened, left] = here[dial.name] ?? [];
    const known = elsewhere.find((at) => at !== undefined) ?? (opened === dial.value ? left : undefined);
    current.set(dial.name, known ?? position(dial, dial.value));
    shared.setters.set(dial.name, (wanted) => tell({ [dial.name]: wanted }));
    show(dial);
  }
  shared.peers.add(peer);
  const fit = makeActions(root, data, tell);

  // A chart drawn later (a theme change, a rerun) opens at its first value: bring it along.
  const watcher = new MutationObserver((records) => {
    const fresh = records.some((record) =>
      [...record.addedNodes].some((node) => node.querySelector && (node.matches("form.vega-bindings, .vega-bind") || node.querySelector("form.vega-bindings"))),
    );
    if (fresh) schedule();
  });
  watcher.observe(document.body, { childList: true, subtree: true });
  shared.listeners.add(schedule);
  schedule();
  holdSection();

  root.dispose = () => {
    shared.peers.delete(peer);
    shared.listeners.delete(schedule);
    clearTimeout(rest);
    fit.disconnect();
    watcher.disconnect();
    cancelAnimationFrame(frame);
    for (const { name } of data.dials) {
      if ([...shared.peers].some((each) => each.holds(name))) continue;
      shared.values.delete(name);
      shared.setters.delete(name);
    }
  };
  return root.dispose;
}
