// One sentence for a screen reader, in a region that stays: only what changes in it is spoken.
export default function (component) {
  const { parentElement, data: [data] } = component;
  const region = parentElement.querySelector("p");
  const opens = region.dataset.said === undefined;
  if (region.dataset.said !== data.said) {
    region.dataset.said = data.said;
    region.textContent = opens && data.quiet ? "" : data.said;
  }
  // Where the focus goes when a button that had it is greyed (assets/hands.js).
  const hands = (globalThis.vaeHands ??= { follow: {}, rows: {}, moved: -Infinity });
  Object.assign(hands.follow, data.follow);
  Object.assign(hands.rows, data.rows);
}
