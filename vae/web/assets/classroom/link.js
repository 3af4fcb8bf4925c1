// A link that the server wrote, to be copied or shown as a QR code.
import { share } from "./share.js";

export function mount(root, data, address) {
  const bar = document.createElement("div");
  bar.className = "bar";
  bar.append(...share(() => data.link, address, { label: data.label }));
  root.replaceChildren(bar);
}
