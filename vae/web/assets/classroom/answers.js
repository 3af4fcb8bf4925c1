// What this browser remembers of the questions, and nobody else: pure, but for the storage it is
// given.

const KEY = "vae-quiz";
const MOST = 500;

const isAnswer = (value) => Number.isInteger(value?.choice) && value.choice >= 0 && typeof value.right === "boolean";

// The answers in `storage` by question; none where it is closed, or where somebody else wrote there.
export function load(storage) {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? "{}");
    return Object.fromEntries(Object.entries(kept).filter(([, value]) => isAnswer(value)).slice(0, MOST));
  } catch {
    return {};
  }
}

// Whether it could be kept: a browser may refuse.
export function save(storage, answers) {
  try {
    storage.setItem(KEY, JSON.stringify(answers));
    return true;
  } catch {
    return false;
  }
}

// How many of each page's questions are answered right: [{ page, right, total }].
export function progress(answers, totals) {
  return Object.entries(totals).map(([page, total]) => ({
    page,
    total,
    right: Object.entries(answers).filter(([id, answer]) => answer.right && id.startsWith(`${page}-`)).length,
  }));
}

// A style sheet that writes the progress behind each page's name in the navigation. The navigation
// is not ours to change; what a style sheet adds to it stays when it is drawn anew.
export function ticks(answers, totals) {
  return progress(answers, totals)
    .filter(({ right }) => right > 0)
    .map(({ page, right, total }) => {
      const links = `:is([data-testid=stSidebarNavLink], [data-testid=stTopNavLink])[href*="/${page}"]`;
      return `${links} span:last-of-type::after { content: "\\2002✓ ${right}/${total}"; font-size: 0.875em; }`;
    })
    .join("\n");
}

// "20 of 32" after some right and wrong ones.
export const score = (right, asked) => `${right} of ${asked}`;
