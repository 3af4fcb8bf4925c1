// The canvas that one draws on: pointer, touch, pen and keys, with undo.
import { choice, paintGreys, picture, setText, slider } from "./dom.js";
import { button, element } from "./elements.js";
import { startStroke } from "./strokes.js";

const UNDO = 50;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HELP =
  "Arrow keys move the pen, space paints under it, shift with an arrow draws a line, " +
  "delete erases, U takes the last stroke back.";

export class Board {
  // `drawing` is changed in place; `changed` is called after each change, `rested` after a stroke.
  constructor(drawing, { changed, say }) {
    Object.assign(this, { drawing, changed, say });
    this.tool = "pen";
    this.grey = 1;
    this.radius = 1.1;
    this.past = [];
    this.cursor = { x: Math.floor(drawing.width / 2), y: Math.floor(drawing.height / 2) };
    this.canvas = picture(drawing.width, drawing.height, "");
    for (const [name, value] of Object.entries({
      role: "application",
      tabindex: "0",
      "aria-label": `Drawing of ${drawing.width} by ${drawing.height} pixels. ${HELP}`,
      "aria-roledescription": "drawing board",
    }))
      this.canvas.setAttribute(name, value);
    this.canvas.classList.add("board");
    this.mark = element("div", { class: "pen-mark", hidden: true, "aria-hidden": "true" });
    this.place = element("div", { class: "board-place" }, this.canvas, this.mark);
    this.#listen();
    this.tools = this.#makeTools();
    this.paint();
  }

  paint() {
    paintGreys(this.canvas, this.drawing.pixels);
  }

  // Replaces the whole drawing, which can be taken back.
  set(pixels) {
    this.#remember();
    this.drawing.pixels.set(pixels);
    this.#show();
  }

  undo() {
    const before = this.past.pop();
    if (!before) {
      this.say("There is nothing to take back.");
      return;
    }
    this.drawing.pixels.set(before);
    this.#show();
  }

  clear() {
    this.set(new Float32Array(this.drawing.pixels.length));
  }

  #remember() {
    this.past.push(this.drawing.pixels.slice());
    if (this.past.length > UNDO) this.past.shift();
  }

  #show() {
    this.paint();
    this.changed();
  }

  get #brush() {
    return { grey: this.tool === "pen" ? this.grey : 0, radius: this.radius };
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = this.drawing;
    return {
      x: ((event.clientX - box.left) / box.width) * width,
      y: ((event.clientY - box.top) / box.height) * height,
    };
  }

  #listen() {
    const { canvas } = this;
    let stroke = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button > 0 || stroke) return;
      canvas.setPointerCapture(event.pointerId);
      this.mark.hidden = true;
      this.#remember();
      stroke = startStroke(this.drawing, this.#brush);
      stroke(this.#point(event));
      this.#show();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!stroke) return;
      // All the points since the last frame: a fast stroke stays round.
      for (const each of event.getCoalescedEvents?.() ?? []) stroke(this.#point(each));
      stroke(this.#point(event));
      this.#show();
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(name, () => (stroke = null));
    canvas.addEventListener("keydown", (event) => this.#press(event));
    canvas.addEventListener("blur", () => (this.mark.hidden = true));
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === "z" && !event.altKey) this.undo();
      else return;
    } else if (event.key in KEYS) this.#move(KEYS[event.key], event.shiftKey);
    else if (event.key === " " || event.key === "Enter") this.#dab(this.#brush);
    else if (event.key === "Delete" || event.key === "Backspace")
      this.#dab({ grey: 0, radius: this.radius });
    else if (event.key === "u" || event.key === "U") this.undo();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #move([dx, dy], draws) {
    const { width, height } = this.drawing;
    const from = { x: this.cursor.x + 0.5, y: this.cursor.y + 0.5 };
    this.cursor.x = Math.min(width - 1, Math.max(0, this.cursor.x + dx));
    this.cursor.y = Math.min(height - 1, Math.max(0, this.cursor.y + dy));
    if (draws) {
      this.#remember();
      const stroke = startStroke(this.drawing, this.#brush);
      stroke(from);
      stroke({ x: this.cursor.x + 0.5, y: this.cursor.y + 0.5 });
      this.#show();
    }
    this.#showCursor();
  }

  #dab(brush) {
    this.#remember();
    startStroke(this.drawing, brush)({ x: this.cursor.x + 0.5, y: this.cursor.y + 0.5 });
    this.#show();
    this.#showCursor();
  }

  #showCursor() {
    const { x, y } = this.cursor;
    const { width, height, pixels } = this.drawing;
    this.mark.hidden = false;
    Object.assign(this.mark.style, { left: `${(100 * x) / width}%`, top: `${(100 * y) / height}%` });
    Object.assign(this.mark.style, { width: `${100 / width}%`, height: `${100 / height}%` });
    this.say(`Row ${y + 1}, column ${x + 1}, grey ${pixels[y * width + x].toFixed(2)}`);
  }

  #makeTools() {
    const tools = choice("Tool", [["pen", "Pen"], ["eraser", "Eraser"]], "pen", (tool) => {
      this.tool = tool;
    });
    const grey = element("output", { text: "1.00" });
    const size = element("output", { text: "1.1" });
    return element(
      "div",
      { class: "tools" },
      element(
        "div",
        { class: "bar" },
        tools.group,
        button("Undo", () => this.undo()),
        button("Clear", () => this.clear()),
      ),
      element(
        "label",
        { class: "named" },
        "Grey",
        slider("Grey of the pen", { min: 0, max: 1, step: 0.05, value: 1 }, (value) => {
          this.grey = value;
          this.tool = "pen";
          tools.show("pen");
          setText(grey, value.toFixed(2));
        }),
        grey,
      ),
      element(
        "label",
        { class: "named" },
        "Brush",
        slider("Radius of the brush in pixels", { min: 0.3, max: 3, step: 0.1, value: 1.1 }, (value) => {
          this.radius = value;
          setText(size, value.toFixed(1));
        }),
        size,
      ),
    );
  }
}
