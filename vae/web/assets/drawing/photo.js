// A picture of one's own, shrunk to the drawing's size in the browser and shown before it is used.
import { paintGreys, picture, setText, slider } from "./dom.js";
import { button, element } from "./elements.js";
import { shrink } from "./strokes.js";

// Larger photos are first drawn smaller: nothing of them is left in 28 pixels.
const LARGEST_SIDE = 1024;

async function readImage(file) {
  const source = await createImageBitmap(file);
  const factor = Math.min(1, LARGEST_SIDE / Math.max(source.width, source.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(source.width * factor));
  canvas.height = Math.max(1, Math.round(source.height * factor));
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

export function photo({ width, height }, use) {
  const preview = picture(width, height, "your picture, shrunk");
  const message = element("p", { class: "note", role: "status" });
  const settings = { zoom: 1, invert: true };
  let image = null;
  let greys = null;
  const show = () => {
    if (!image) return;
    greys = shrink(image, width, height, settings);
    paintGreys(preview, greys);
    ready.hidden = false;
  };
  const choose = element("input", { type: "file", accept: "image/*", "aria-label": "Choose a picture" });
  choose.addEventListener("change", async () => {
    const [file] = choose.files;
    if (!file) return;
    try {
      image = await readImage(file);
      setText(message, "");
      show();
    } catch {
      setText(message, `${file.name} is no picture that this browser can read. Choose a PNG or a JPEG.`);
    }
  });
  const invert = element("input", { type: "checkbox" });
  invert.checked = settings.invert;
  invert.addEventListener("change", () => {
    settings.invert = invert.checked;
    show();
  });
  const ready = element(
    "div",
    { class: "bar", hidden: true },
    preview,
    element("label", {}, invert, " dark on light: invert"),
    element("label", { class: "named" }, "Zoom", slider("Zoom into the middle", { min: 1, max: 5, step: 0.05, value: 1 }, (zoom) => {
      settings.zoom = zoom;
      show();
    })),
    button("Put it on the canvas", () => greys && use(greys)),
  );
  return element(
    "div",
    { class: "photo" },
    element("p", { class: "note", text: "It is cropped and shrunk here, in your browser, and goes nowhere else." }),
    choose,
    message,
    ready,
  );
}
