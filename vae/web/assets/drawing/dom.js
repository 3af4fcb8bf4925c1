// Small helpers for what every part of the page needs: pictures, choices, numbers.
import { button, element } from "./elements.js";

// Buttons of which one is pressed. `choices` are [value, text]; `change` is called with the value.
export function choice(label, choices, chosen, change) {
  const group = element("div", { class: "choice", role: "group", "aria-label": label });
  const buttons = new Map();
  const show = (value) => {
    for (const [name, made] of buttons) made.setAttribute("aria-pressed", String(name === value));
  };
  for (const [value, text] of choices) {
    const made = button(text, () => {
      show(value);
      change(value);
    });
    buttons.set(value, made);
    group.append(made);
  }
  show(chosen);
  return { group, show };
}

export function slider(label, { min, max, step, value }, input) {
  const range = element("input", { type: "range", min, max, step, "aria-label": label });
  range.value = value;
  range.addEventListener("input", () => input(Number(range.value)));
  return range;
}

// A canvas of `width` by `height` pixels that the style sheet enlarges.
export function picture(width, height, alt) {
  const made = element("canvas", { class: "pixels", role: "img", "aria-label": alt });
  Object.assign(made, { width, height });
  return made;
}

// Values in [0, 1] as greys; what lies outside is cut for the screen.
export function paintGreys(canvas, values) {
  paint(canvas, values, (value, data, at) => {
    // The array itself rounds to the nearest byte.
    data[at] = data[at + 1] = data[at + 2] = 255 * value;
  });
}

// From `low` (black) over orange to `high` (white): a scale that also falls on a grey print.
export function paintHeat(canvas, values, low, high) {
  const range = high > low ? high - low : 1;
  paint(canvas, values, (value, data, at) => {
    const share = (value - low) / range;
    data[at] = 255 * Math.min(1, 2.1 * share);
    data[at + 1] = 255 * Math.min(1, Math.max(0, 1.25 * share - 0.1 + 0.6 * share * share - 0.6 * share));
    data[at + 2] = 255 * Math.max(0, 4 * share - 3);
  });
}

function paint(canvas, values, colour) {
  const context = canvas.getContext("2d");
  const image = (canvas.image ??= context.createImageData(canvas.width, canvas.height));
  for (let index = 0; index < values.length; index++) {
    colour(values[index], image.data, 4 * index);
    image.data[4 * index + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A number with a real minus sign.
export const format = (value, digits) =>
  Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "not a number";
