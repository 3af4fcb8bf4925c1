// A link to take along: copied, or as a QR code for the phones of a class.
import { button, element } from "./elements.js";

// The same on the dials (assets/dials.js), which have no modules.
export async function copy(node, text, said = "Copied") {
  const label = node.textContent;
  try {
    await navigator.clipboard.writeText(text);
    node.textContent = said;
  } catch {
    // The clipboard needs a secure context: show it instead, selected.
    const field = element("input", { readonly: true, "aria-label": label, value: text });
    node.after(field);
    field.select();
    setTimeout(() => field.remove(), 20000);
    return;
  }
  setTimeout(() => (node.textContent = label), 2500);
}

export function qr(link, address) {
  const source = address(`room/qr.svg?text=${encodeURIComponent(link)}`);
  return element("img", { src: source, alt: `QR code of ${link}`, class: "qr", width: "220", height: "220" });
}

// [copy button, QR button with its picture]; `link` is asked for when one is pressed.
export function share(link, address, { label = "Copy link", unfolded = false } = {}) {
  const copying = button(label, () => copy(copying, link()), { class: "copy" });
  const picture = element("details", { class: "qr-fold", open: unfolded }, element("summary", { text: "QR" }));
  const draw = () => {
    if (picture.open) picture.append(element("div", { class: "qr-card" }, qr(link(), address), element("span", { class: "qr-link", text: link() })));
    else picture.querySelector(".qr-card")?.remove();
  };
  picture.addEventListener("toggle", draw);
  return [copying, picture];
}
