// One question of a section: a line until it is touched; then choices, a reply to each, and the
// dial that refutes a wrong one. Nothing is sent to the server.
import { button, element } from "./elements.js";
import { answers, expect, listen, remember } from "./memory.js";

// Sets what refutes an answer, as a hand would: dials in the browser, controls by their buttons.
export function demonstrate(show, root) {
  for (const [key, label] of Object.entries(show.choices ?? {})) {
    const buttons = document.querySelectorAll(`.st-key-${key} :is(button, [role=radio])`);
    const wanted = [...buttons].find((each) => each.textContent.trim() === label);
    if (wanted && wanted.getAttribute("aria-checked") !== "true" && wanted.getAttribute("aria-pressed") !== "true") wanted.click();
  }
  for (const [name, value] of Object.entries(show.dials ?? {})) globalThis.vaeDials?.setters?.get(name)?.(value);
  const goal = show.anchor ? document.getElementById(show.anchor) : figureAfter(root);
  goal?.scrollIntoView({ block: show.anchor ? "start" : "center" });
}

function figureAfter(root) {
  const figures = [...document.querySelectorAll("[data-testid=stVegaLiteChart], .strips")];
  return figures.find((each) => root.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
}

export function mount(root, data) {
  expect(data.totals);
  const status = element("div", { role: "status", class: "reply" });
  const mark = element("span", { class: "mark", "aria-hidden": "true" });
  const said = element("span", { class: "unseen" });
  const choices = data.choices.map((choice, index) =>
    button(choice.text, () => {
      remember(data.id, { choice: index, right: choice.right });
      reply(choice);
    }),
  );
  const fold = element(
    "details",
    { class: "question", open: Boolean(data.notes) },
    element("summary", {}, mark, element("span", { text: data.ask }), said),
    element("div", { class: "choices", role: "group", "aria-label": data.ask }, ...choices),
    status,
  );

  function reply(choice) {
    const parts = [element("p", {}, element("strong", { text: choice.right ? "Right. " : "Not so. " }), choice.reply)];
    if (choice.show) parts.push(button("Show it on the page", () => demonstrate(choice.show, root), { class: "show" }));
    status.replaceChildren(...parts);
  }

  function paint() {
    const given = answers()[data.id];
    mark.textContent = given ? (given.right ? "✓" : "✗") : "?";
    said.textContent = given ? (given.right ? " (answered right)" : " (answered)") : " (a question)";
    fold.dataset.state = given ? (given.right ? "right" : "wrong") : "open";
    choices.forEach((each, index) => each.setAttribute("aria-pressed", String(given?.choice === index)));
  }

  paint();
  const given = answers()[data.id];
  if (given && data.choices[given.choice]) reply(data.choices[given.choice]);
  const parts = data.notes ? [fold, notes(data, root)] : [fold];
  root.replaceChildren(...parts);
  return listen(paint);
}

// For the teacher's own screen: the answer, what is wrong with the others, and what shows it.
function notes(data, root) {
  const rows = data.choices.map((choice) =>
    element(
      "li",
      {},
      element("strong", { text: `${choice.right ? "✓" : "✗"} ${choice.text}. ` }),
      choice.reply,
      choice.show ? button("Show it on the page", () => demonstrate(choice.show, root), { class: "show" }) : null,
    ),
  );
  return element("ul", { class: "notes", "aria-label": "Notes for the teacher" }, ...rows);
}
