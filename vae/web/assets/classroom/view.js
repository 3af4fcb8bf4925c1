// The present view, to take along: as a QR code, or as one figure in a slide. Called by the dials,
// which fetch this when it is asked for.
import { copy, qr } from "./share.js";

// Figures that may stand alone (vae/web/embedded.py); a section without one is embedded whole.
export const FIGURES = [
  "answer", "loss", "evidence", "sigma", "nll", "belief", "collapse", "learned-sigma", "cross-entropy", "beliefs",
  "asymmetry", "two-mse", "minimum", "noise", "logit-noise", "continuous-bernoulli", "gradients", "opposite",
];

// The code that embeds the view at `link`: the figure of its section with the dials as they stand.
export function embedCode(link) {
  const url = new URL(link);
  const section = decodeURIComponent(url.hash.slice(1));
  for (const name of ["present", "notes", "quiz", "room", "run", "figure"]) url.searchParams.delete(name);
  if (FIGURES.includes(section)) {
    url.searchParams.set("figure", section);
    url.hash = "";
  }
  url.searchParams.set("embed", "true");
  const source = url.href.replaceAll("&", "&amp;").replaceAll('"', "%22");
  return `<iframe src="${source}" width="760" height="430" style="border:0" title="What is a VAE's loss?"></iframe>`;
}

export function embed(node, link) {
  return copy(node, embedCode(link), "Code copied");
}

// Shown below the button, and taken away by a second press.
export function code(node, link, address) {
  const shown = node.parentElement.querySelector("img");
  node.setAttribute("aria-expanded", String(!shown));
  if (shown) shown.remove();
  else node.parentElement.append(Object.assign(qr(link, address), { style: "background: #fff; flex: none; order: 9" }));
}
