// Train's question as a prediction: choices before a run, then choice, theory and outcome in one
// sentence. Nothing is sent to the server.
import { button, element } from "./elements.js";
import { answers, listen, remember } from "./memory.js";

// "You said 20; theory 0; the run kept 0." Of who has not chosen, without the beginning.
export function sentence(data, chosen) {
  const parts = [`theory ${data.theory}`];
  if (chosen !== undefined) parts.unshift(`You said ${data.options[chosen].text}`);
  if (data.outcome) parts.push(`${data.kept} ${data.outcome}`);
  const text = parts.join("; ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

// What the choice missed: nothing where it came out so, or where nothing was measured.
export function overlooked(data, chosen) {
  const truth = data.outcome ? data.came : data.foretold;
  return truth === null || truth === chosen ? "" : data.options[chosen].overlooks;
}

export function mount(root, data) {
  const told = element("p", { role: "status", class: "reply" });
  const choices = data.options.map((option, index) => button(option.text, () => remember(data.id, { choice: index, right: false })));
  const fold = element(
    "details",
    { class: "question" },
    element("summary", {}, element("span", { class: "mark", "aria-hidden": "true", text: "?" }), element("span", { text: `Predict first: ${data.ask}` })),
    element("div", { class: "choices", role: "group", "aria-label": data.ask }, ...choices),
  );
  root.replaceChildren(fold, told);

  function paint() {
    const chosen = answers()[data.id]?.choice;
    const known = chosen !== undefined && chosen < choices.length;
    choices.forEach((each, index) => each.setAttribute("aria-pressed", String(chosen === index)));
    told.textContent = known ? `${sentence(data, chosen)} ${overlooked(data, chosen)}` : "";
    // The verdict below is the server's: it is unfolded once one has committed oneself.
    if (known && data.outcome) for (const verdict of document.querySelectorAll("details.verdict")) verdict.open = true;
  }

  paint();
  // The verdict may be drawn after this.
  const watcher = new MutationObserver(() => {
    const verdict = document.querySelector("details.verdict:not([data-seen])");
    if (!verdict) return;
    verdict.dataset.seen = "true";
    paint();
  });
  watcher.observe(document.body, { childList: true, subtree: true });
  const silent = listen(paint);
  return () => {
    watcher.disconnect();
    silent();
  };
}
