// Sliders that drive every figure on the page in the browser alone.
// Each Vega chart binds its parameters to range inputs of its own; a dial sets all inputs that
// carry its signal's name, so panels that share a parameter move together.
const shared = (globalThis.vaeDials ??= {
  values: new Map(),
  choices: new Map(),
  listeners: new Set(),
});
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

// Streamlit's own files lie beside the app, wherever it is mounted.
function address(path) {
  const own = document.querySelector('script[src*="static/"], link[href*="static/"]');
  const url = own?.src ?? own?.href ?? "";
  const end = url.indexOf("/static/");
  return new URL(path, end < 0 ? `${location.origin}/` : url.slice(0, end + 1)).href;
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
  setTimeout(() => (button.textContent = "Copy link to this view"), 2500);
}

// A link to a section: figures above it that are drawn later must not push it out of sight. It is
// held in place until the page rests or the reader moves.
function holdSection() {
  const id = decodeURIComponent(window.location.hash.slice(1));
  const page = document.querySelector("[data-testid=stMainBlockContainer]");
  if (!id || !page || shared.held === window.location.href) return;
  shared.held = window.location.href;
  const observer = new ResizeObserver(() => document.getElementById(id)?.scrollIntoView());
  const moves = ["wheel", "touchstart", "pointerdown", "keydown"];
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
  row.innerHTML = `<label for="${id}"></label><input id="${id}" type="range"><output for="${id}" aria-live="off"></output>`;
  row.querySelector("label").textContent = dial.label;
  const input = row.querySelector("input");
  input.min = position(dial, dial.minimum);
  input.max = position(dial, dial.maximum);
  input.step = dial.step;
  return row;
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
  root.classList.toggle("inline", Boolean(data.inline));

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
  const set = (dial, at) => {
    current.set(dial.name, at);
    moved.add(dial);
    show(dial);
    schedule();
  };
  const { here } = kept();

  for (const dial of data.dials) {
    const row = makeRow(dial);
    const input = row.querySelector("input");
    rows.set(dial.name, { input, output: row.querySelector("output") });
    input.addEventListener("input", () => set(dial, Number(input.value)));
    root.append(row);
    const [opened, at] = here[dial.name] ?? [];
    current.set(dial.name, opened === dial.value ? at : position(dial, dial.value));
    shared.setters.set(dial.name, (wanted) => set(dial, position(dial, wanted)));
    show(dial);
  }
  const actions = document.createElement("div");
  actions.className = "actions";
  for (const preset of data.presets) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = preset.label;
    button.addEventListener("click", () => {
      for (const dial of data.dials)
        if (dial.name in preset.values) set(dial, position(dial, preset.values[dial.name]));
    });
    actions.append(button);
  }
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "copy";
  copy.textContent = "Copy link to this view";
  copy.addEventListener("click", () => copyLink(copy));
  // What is fetched when it is asked for: a picture of the link, and code for a slide.
  const taken = (text, label, name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.title = label;
    button.addEventListener("click", async () => {
      const view = await import(address(`${data.assets}view.js`));
      view[name](button, link(), address);
    });
    return button;
  };
  if (!data.bare) actions.append(copy, taken("QR", "QR code of this view", "code"), taken("Embed", "Copy embed code: this figure in a slide", "embed"));
  if (actions.children.length) root.append(actions);

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
    shared.listeners.delete(schedule);
    clearTimeout(rest);
    watcher.disconnect();
    cancelAnimationFrame(frame);
    for (const dial of data.dials) {
      shared.values.delete(dial.name);
      shared.setters.delete(dial.name);
    }
  };
  return root.dispose;
}
