// The plane of a network's two most informative latents: where test images lie, the prior, q(z|x)
// of the drawing, and z, which is where the pointer is.
import { element } from "./elements.js";

const REACH = 3.6;
const SIZE = 300;
const STEP = 0.2;
// Tableau's ten colours, as the map of a finished run has them.
const CLASSES = [
  "#4c78a8", "#f58518", "#e45756", "#72b7b2", "#54a24b",
  "#eeca3b", "#b279a2", "#ff9da6", "#9d755d", "#bab0ac",
];
const KEYS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

const place = (value) => ((value + REACH) / (2 * REACH)) * SIZE;

function medians(network, labels, names) {
  return names.map((name, label) => {
    const at = [...labels.keys()].filter((index) => labels[index] === label);
    const middle = (axis) => {
      const values = at.map((index) => network.codes[2 * index + axis]).sort((a, b) => a - b);
      return values[values.length >> 1];
    };
    return at.length ? { name, label, x: middle(0), y: middle(1) } : null;
  });
}

export class LatentMap {
  // `move([first, second])` is called as the pointer or a key moves z.
  constructor(move) {
    this.move = move;
    this.canvas = element("canvas", {
      class: "map",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "map of two latents",
    });
    const ratio = Math.max(1, Math.min(3, window.devicePixelRatio || 1));
    this.canvas.width = this.canvas.height = SIZE * ratio;
    this.ratio = ratio;
    this.z = [0, 0];
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.#follow(event);
    });
    this.canvas.addEventListener("pointermove", (event) => this.#follow(event));
    this.canvas.addEventListener("keydown", (event) => {
      const step = KEYS[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const inside = (value) => Math.min(REACH, Math.max(-REACH, value));
      this.move([inside(this.z[0] + step[0]), inside(this.z[1] + step[1])]);
    });
  }

  #follow(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 2 * REACH - REACH;
    const y = REACH - ((event.clientY - box.top) / box.height) * 2 * REACH;
    this.move([x, y]);
  }

  // The layer that does not move: axes, the prior at one and two standard deviations, codes.
  setNetwork(network, labels, names) {
    this.network = network;
    // Read back as the theme has it: a canvas knows no light-dark().
    this.canvas.style.outlineColor = network.colour;
    const ground = document.createElement("canvas");
    ground.width = ground.height = this.canvas.width;
    const pen = ground.getContext("2d");
    pen.scale(this.ratio, this.ratio);
    if (network.codes && labels && network.latents > 1) this.#drawCodes(pen, network, labels, names);
    this.ground = ground;
  }

  #drawCodes(pen, network, labels, names) {
    pen.globalAlpha = 0.55;
    for (let index = 0; index < labels.length; index++) {
      pen.fillStyle = CLASSES[labels[index] % CLASSES.length];
      pen.beginPath();
      pen.arc(place(network.codes[2 * index]), SIZE - place(network.codes[2 * index + 1]), 2, 0, 7);
      pen.fill();
    }
    pen.globalAlpha = 1;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = "bold 14px sans-serif";
    pen.lineWidth = 3;
    for (const each of medians(network, labels, names)) {
      if (!each) continue;
      // A dark edge keeps the letters readable on points of any colour, on either ground.
      pen.strokeStyle = "#000000";
      pen.fillStyle = "#ffffff";
      pen.strokeText(each.name, place(each.x), SIZE - place(each.y));
      pen.fillText(each.name, place(each.x), SIZE - place(each.y));
    }
  }

  show(q, z) {
    const { network, canvas } = this;
    const [first, second] = network.ranked;
    const two = network.latents > 1;
    this.z = [z[first], two ? z[second] : 0];
    const style = getComputedStyle(canvas);
    const pen = canvas.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, SIZE, SIZE);
    pen.strokeStyle = style.color;
    pen.lineWidth = 1;
    pen.setLineDash([3, 3]);
    for (const radius of [1, 2]) this.#ellipse(pen, 0, 0, radius, radius);
    pen.setLineDash([]);
    pen.drawImage(this.ground, 0, 0, SIZE, SIZE);
    pen.strokeStyle = style.outlineColor;
    pen.lineWidth = 2;
    const spread = (latent) => Math.exp(0.5 * q.logvar[latent]);
    for (const radius of [1, 2])
      this.#ellipse(
        pen,
        q.mean[first],
        two ? q.mean[second] : 0,
        radius * spread(first),
        radius * (two ? spread(second) : 0.05),
      );
    this.#cross(pen, style.color);
  }

  #ellipse(pen, x, y, width, height) {
    const unit = SIZE / (2 * REACH);
    pen.beginPath();
    pen.ellipse(place(x), SIZE - place(y), width * unit, height * unit, 0, 0, 2 * Math.PI);
    pen.stroke();
  }

  #cross(pen, colour) {
    const [x, y] = [place(this.z[0]), SIZE - place(this.z[1])];
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.moveTo(x - 8, y);
    pen.lineTo(x + 8, y);
    pen.moveTo(x, y - 8);
    pen.lineTo(x, y + 8);
    pen.stroke();
  }

  describe(q) {
    const { network } = this;
    const [first, second] = network.ranked;
    const number = (value) => (value ?? 0).toFixed(2);
    this.canvas.setAttribute(
      "aria-label",
      `Latents ${first + 1} and ${(second ?? 0) + 1} of ${network.label}: z at ${number(this.z[0])}, ` +
        `${number(this.z[1])}; q of the drawing around ${number(q.mean[first])}, ${number(q.mean[second])}. ` +
        "Arrow keys move z.",
    );
  }
}
