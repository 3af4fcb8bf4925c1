// Rows of pictures with their names. One frame is a live view whose pictures change in place;
// several frames are a film with a scrubber and a play button, played in the browser alone.
const FILM_MILLISECONDS = 6000;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function makeRow(row) {
  const line = element("div", "row");
  const label = element("div", "label", row.label);
  if (row.colour) label.style.setProperty("--mark", row.colour);
  const image = element("img");
  image.alt = row.alt;
  line.append(label, image);
  return line;
}

// Everything that needs new elements; pictures and captions are changed in place.
const structure = (data) =>
  JSON.stringify([data.views.map((view) => [view.name, view.rows.map((row) => [row.label, row.colour])]), data.frames > 1, data.opening]);

export function draw(root, data) {
  const state = (root.state ??= { view: 0, frame: 0, timer: 0 });
  const fresh = root.dataset.structure !== structure(data);
  state.data = data;
  keep(state, fresh);
  if (fresh) build(root, state);
  if (state.frame >= data.frames) state.frame = data.frames - 1;
  if (state.slider) state.slider.max = data.frames - 1;
  show(root, state);
  bringIntoView(root, state);
}

export function leave(root) {
  stop(root.state);
}

// Of a run that goes on, a row may come without pictures: those that it had stay.
function keep(state, fresh) {
  if (fresh) state.kept = new Map();
  state.data.views.forEach((view, at) =>
    view.rows.forEach((row, index) => {
      if (row.pictures.length) state.kept.set(`${at}/${index}`, row.pictures);
    }),
  );
}

function show(root, state) {
  const { data } = state;
  const rows = data.views[state.view].rows;
  root.querySelectorAll(".row").forEach((line, index) => {
    const image = line.querySelector("img");
    const frames = state.kept.get(`${state.view}/${index}`) ?? [];
    // A row that never changes, as the targets, comes once.
    const source = frames[Math.min(state.frame, frames.length - 1)] ?? "";
    if (image.getAttribute("src") !== source) image.setAttribute("src", source);
    if (image.alt !== rows[index].alt) image.alt = rows[index].alt;
  });
  if (!state.slider) return;
  state.slider.value = state.frame;
  state.output.textContent = data.captions[state.frame] ?? "";
  state.slider.setAttribute("aria-valuetext", state.output.textContent);
}

// Whoever pressed Train wants to see the pictures: on a small screen they are below the controls.
function bringIntoView(root, state) {
  const { bring } = state.data;
  if (!bring || state.brought === bring) return;
  state.brought = bring;
  requestAnimationFrame(() => {
    if (root.getBoundingClientRect().bottom <= window.innerHeight) return;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const top = document.querySelector(".st-key-train-buttons") ?? root;
    top.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  });
}

function stop(state) {
  clearInterval(state.timer);
  state.timer = 0;
  if (state.play) {
    state.play.textContent = "Play";
    state.play.setAttribute("aria-pressed", "false");
  }
}

function start(root, state) {
  const last = state.data.frames - 1;
  if (state.frame >= last) state.frame = 0;
  state.play.textContent = "Pause";
  state.play.setAttribute("aria-pressed", "true");
  state.timer = setInterval(
    () => {
      state.frame += 1;
      show(root, state);
      if (state.frame >= state.data.frames - 1) stop(state);
    },
    Math.max(40, FILM_MILLISECONDS / (last + 1)),
  );
  show(root, state);
}

function build(root, state) {
  const { data } = state;
  stop(state);
  root.dataset.structure = structure(data);
  root.replaceChildren();
  Object.assign(state, { view: 0, frame: data.opening ?? 0, slider: null, play: null, output: null });
  const rows = element("div", "pictures");
  const fill = () => rows.replaceChildren(...data.views[state.view].rows.map(makeRow));
  fill();
  if (data.views.length > 1) root.append(makeChoice(root, state, fill));
  root.append(rows);
  if (data.frames > 1) root.append(makeFilm(root, state));
}

function makeChoice(root, state, fill) {
  const bar = element("div", "bar");
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "What is shown");
  const buttons = state.data.views.map((view, index) => {
    const button = element("button", "", view.name);
    button.type = "button";
    button.setAttribute("aria-pressed", String(index === state.view));
    button.addEventListener("click", () => {
      state.view = index;
      buttons.forEach((other, at) => other.setAttribute("aria-pressed", String(at === index)));
      fill();
      show(root, state);
    });
    return button;
  });
  bar.append(...buttons);
  return bar;
}

function makeFilm(root, state) {
  const bar = element("div", "bar");
  const play = element("button", "play", "Play");
  play.type = "button";
  play.setAttribute("aria-pressed", "false");
  const slider = element("input");
  Object.assign(slider, { type: "range", min: 0, max: state.data.frames - 1, step: 1 });
  slider.setAttribute("aria-label", "Moment of the training");
  const output = element("output");
  Object.assign(state, { play, slider, output });
  play.addEventListener("click", () => (state.timer ? stop(state) : start(root, state)));
  slider.addEventListener("input", () => {
    stop(state);
    state.frame = Number(slider.value);
    show(root, state);
  });
  bar.append(play, slider, output);
  return bar;
}
