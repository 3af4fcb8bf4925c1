// The ledger as a quiz: its own rows, one at a time, their verdicts hidden until one has answered.
// Nothing is sent to the server.
import { score } from "./answers.js";
import { button, element } from "./elements.js";
import { answers, forget, remember } from "./memory.js";

const VERDICTS = [
  ["true", "True"],
  ["condition", "It depends"],
  ["wrong", "Wrong"],
];
const id = (claim) => `ledger-${claim.id}`;

// What the rows on the page say, in their order; the filters above them leave some out.
export function readRows(document) {
  return [...document.querySelectorAll(".ledger article")].map((row) => ({
    id: row.id,
    said: row.querySelector(".said").textContent,
    verdict: VERDICTS.findIndex(([name]) => row.classList.contains(name)),
    word: row.querySelector(".badge").textContent.replace(/^\W+/u, "").trim(),
    statement: row.querySelector(".body > p:not([class])").textContent,
    figure: row.querySelector(".figure").textContent,
  }));
}

export function tally(claims, given) {
  const asked = claims.filter((claim) => id(claim) in given);
  return { right: asked.filter((claim) => given[id(claim)].right).length, asked: asked.length };
}

export function mount(root) {
  const hiding = document.head.appendChild(element("style"));
  const card = element("div", { class: "claim" });
  const fold = element(
    "details",
    { class: "question" },
    element("summary", {}, element("span", { class: "mark", "aria-hidden": "true", text: "?" }), element("span", { text: "Judge first: true, it depends, or wrong?" })),
    card,
  );
  fold.addEventListener("toggle", () => {
    hiding.textContent = fold.open ? ".ledger { display: none !important; }" : "";
    if (fold.open) next();
  });

  function next() {
    const claims = readRows(document);
    const claim = claims.find((each) => !(id(each) in answers()));
    if (claim) ask(claim, claims);
    else end(claims);
  }

  const told = (claims) => {
    const { right, asked } = tally(claims, answers());
    return `${score(right, asked)} right so far; ${claims.length - asked} to go.`;
  };

  function ask(claim, claims) {
    const status = element("div", { role: "status", class: "reply" });
    const count = element("p", { class: "score", text: told(claims) });
    const choices = VERDICTS.map(([, text], index) =>
      button(text, () => {
        const right = index === claim.verdict;
        remember(id(claim), { choice: index, right });
        for (const each of choices) each.disabled = true;
        choices[index].setAttribute("aria-pressed", "true");
        count.textContent = told(claims);
        const onward = button("Next claim", next, { class: "show" });
        status.replaceChildren(
          element("p", {}, element("strong", { text: `${right ? "Right" : "Not so"}: ${claim.word}. ` }), `${claim.statement} `, element("strong", { text: claim.figure })),
          onward,
        );
        onward.focus();
      }),
    );
    card.replaceChildren(
      element("p", { class: "said", text: `“${claim.said.replace(/^“|”$/g, "")}”` }),
      element("div", { class: "choices", role: "group", "aria-label": "Your verdict" }, ...choices),
      status,
      count,
    );
    choices[0].focus();
  }

  function end(claims) {
    const { right, asked } = tally(claims, answers());
    const again = button("Begin again", () => {
      forget((name) => name.startsWith("ledger-"));
      next();
    });
    card.replaceChildren(element("p", { role: "status", class: "said", text: `${score(right, asked)}.` }), again);
    again.focus();
  }

  root.replaceChildren(fold);
  return () => hiding.remove();
}
