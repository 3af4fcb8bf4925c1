// What a printed page has at its foot: where it is from, in letters and as a QR code. And the ticks
// of the questions, on pages that ask none.
import { element } from "./elements.js";
import { expect } from "./memory.js";

// Printing does not wait: the picture is fetched while the browser stands still, and only then.
function picture(link, address) {
  const request = new XMLHttpRequest();
  request.open("GET", address(`room/qr.svg?text=${encodeURIComponent(link)}`), false);
  try {
    request.send();
  } catch {
    return null;
  }
  if (request.status !== 200) return null;
  const drawn = new DOMParser().parseFromString(request.responseText, "image/svg+xml").documentElement;
  drawn.setAttribute("class", "qr");
  return drawn;
}

// Whether the page is light letters on a dark ground, which no printer prints.
function isDark() {
  const [red, green, blue] = (getComputedStyle(document.querySelector(".stApp")).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
  return red + green + blue < 3 * 128;
}

export function mount(root, data, address) {
  expect(data.totals);
  const foot = element("div", { class: "handout" });
  root.replaceChildren(foot);
  const fill = () => {
    document.documentElement.toggleAttribute("data-ink", isDark());
    const url = new URL(window.location.href);
    if (data.host) url.host = data.host;
    const link = url.href;
    foot.replaceChildren(...[picture(link, address), element("p", { text: link })].filter(Boolean));
  };
  const empty = () => {
    document.documentElement.removeAttribute("data-ink");
    foot.replaceChildren();
  };
  const printing = window.matchMedia("print");
  const changed = () => (printing.matches ? fill() : empty());
  window.addEventListener("beforeprint", fill);
  window.addEventListener("afterprint", empty);
  printing.addEventListener("change", changed);
  return () => {
    printing.removeEventListener("change", changed);
    window.removeEventListener("beforeprint", fill);
    window.removeEventListener("afterprint", empty);
  };
}
