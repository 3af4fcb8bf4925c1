// One memory for all questions of the page, and who wants to hear of a new answer.
import { load, save, ticks } from "./answers.js";

const shared = (globalThis.vaeQuiz ??= { answers: null, totals: {}, listeners: new Set() });

function storage() {
  try {
    return window.localStorage;
  } catch {
    // Refused, as in some frames: what is answered is known until the page is left.
    return { getItem: () => null, setItem: () => {} };
  }
}

export const answers = () => (shared.answers ??= load(storage()));

export function remember(id, answer) {
  answers()[id] = answer;
  save(storage(), answers());
  show();
  for (const listener of shared.listeners) listener(id);
}

// Forgets the answers to those questions of whose names `which` is true.
export function forget(which) {
  for (const id of Object.keys(answers())) if (which(id)) delete shared.answers[id];
  save(storage(), answers());
  show();
  for (const listener of shared.listeners) listener("");
}

export function listen(listener) {
  shared.listeners.add(listener);
  return () => shared.listeners.delete(listener);
}

export function expect(totals) {
  shared.totals = { ...shared.totals, ...totals };
  show();
}

function show() {
  const id = "vae-quiz-ticks";
  const style = document.getElementById(id) ?? document.head.appendChild(Object.assign(document.createElement("style"), { id }));
  const text = ticks(answers(), shared.totals);
  if (style.textContent !== text) style.textContent = text;
}
