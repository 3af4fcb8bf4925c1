// The drawing and the networks that read it: everything on the page follows the hand in the browser
// alone. Nothing here sends a message to the server.
import { Between } from "./between.js";
import { Board } from "./board.js";
import { choice, format, paintGreys, picture, setText } from "./dom.js";
import { button, element } from "./elements.js";
import { evaluate, posterior } from "./elbo.js";
import { Latents } from "./latents.js";
import { generator, normals, pixelNoise } from "./noise.js";
import { photo } from "./photo.js";
import { Results } from "./results.js";
import { blank } from "./strokes.js";
import { readWeights } from "./weights.js";

const REST = 400;
const UNITS = "Squared error and KL compare from row to row; each loss counts nats of a kind of its own.";
// What was drawn stays while one goes from page to page, and from before a run to after it.
const shared = (globalThis.vaeDrawing ??= { drawings: new Map(), packs: new Map() });

function drawingFor({ width, height }) {
  const key = `${width}x${height}`;
  if (!shared.drawings.has(key)) shared.drawings.set(key, blank(width, height));
  return shared.drawings.get(key);
}

async function fetchPack(url) {
  const response = await fetch(url).catch(() => {
    throw new Error("The networks could not be fetched: the server does not answer. Reload the page.");
  });
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    throw new Error(told.message ?? `The networks could not be fetched (${response.status}). Reload the page.`);
  }
  return readWeights(await response.arrayBuffer());
}

function loadPack(url) {
  if (!shared.packs.has(url)) {
    const loading = fetchPack(url);
    shared.packs.set(url, loading);
    // The oldest goes: a pack unfolded takes some megabytes.
    if (shared.packs.size > 4) shared.packs.delete(shared.packs.keys().next().value);
    loading.catch(() => shared.packs.delete(url));
  }
  return shared.packs.get(url);
}

// The pictures of a strip, one beside another with a gap of one pixel, as greys.
async function readStrip(source, count) {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: image.width, height: image.height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const width = (image.width + 1) / count - 1;
  return Array.from({ length: count }, (_, index) => {
    const { data } = pen.getImageData(index * (width + 1), 0, width, image.height);
    return { width, height: image.height, pixels: Float32Array.from({ length: width * image.height }, (_, at) => data[4 * at] / 255) };
  });
}

class Page {
  constructor(root, data, address) {
    Object.assign(this, { root, data, address });
    this.source = "mean";
    this.seed = 1;
    this.noiseSeed = 1;
    this.byHand = new Map();
    this.frame = 0;
    this.rest = 0;
    this.closed = false;
    this.live = element("div", { class: "unseen", role: "status" });
  }

  async open() {
    const { data } = this;
    const starters = readStrip(data.targets, data.names.length).catch(() => []);
    this.pack = await loadPack(this.address(data.weights));
    this.starters = (await starters).filter(({ width, height }) => width === this.pack.width && height === this.pack.height);
    if (this.closed) return;
    this.drawing = drawingFor(this.pack);
    if (this.starters.length && this.drawing.pixels.every((value) => value === 0))
      this.drawing.pixels.set(this.starters[0].pixels);
    this.noise = pixelNoise(this.drawing.pixels.length, this.noiseSeed);
    this.build();
    this.update();
  }

  build() {
    const { data, pack } = this;
    this.board = new Board(this.drawing, { changed: () => this.schedule(), say: (text) => setText(this.live, text) });
    this.results = new Results(pack, { small: data.small, pick: (network, at) => this.ask(network, at) });
    this.asked = element("p", { class: "note asked", role: "status" });
    const left = element("div", { class: "left" }, this.board.place, this.board.tools, this.makeStarters());
    const right = element("div", { class: "right" }, this.results.node, ...(data.small ? [] : [this.makeSources(), this.asked, element("p", { class: "note", text: this.lesson() })]));
    this.root.replaceChildren(
      element("p", { text: data.lead }),
      element("div", { class: data.small ? "drawing-page small" : "drawing-page" }, left, right),
      ...(data.small ? [] : this.makeFolds()),
      element("p", { class: "note", text: "Nothing you draw or choose leaves this browser." }),
      this.live,
    );
  }

  lesson() {
    const { lesson } = this.data;
    return this.pack.networks.length > 1 ? `${UNITS} ${lesson}` : lesson;
  }

  makeStarters() {
    if (!this.starters.length) return null;
    const buttons = this.starters.map(({ width, height, pixels }, index) => {
      const shown = picture(width, height, "");
      shown.setAttribute("aria-hidden", "true");
      paintGreys(shown, pixels);
      const made = button("", () => this.board.set(pixels), { "aria-label": `Start from a test image: ${this.data.names[index]}` });
      made.append(shown);
      return made;
    });
    return element("div", { class: "starters", role: "group", "aria-label": "Test images to start from" }, ...buttons);
  }

  makeSources() {
    this.sources = choice(
      "Where z comes from",
      [["mean", "the mean of q(z|x)"], ["draw", "a draw from q"], ["prior", "a draw from the prior"]],
      this.source,
      (source) => {
        this.source = source;
        // Pressed again, it draws again.
        this.seed += 1;
        this.byHand.clear();
        this.schedule();
      },
    );
    const again = button("New noise", () => {
      this.noiseSeed += 1;
      this.noise = pixelNoise(this.drawing.pixels.length, this.noiseSeed);
      this.schedule();
    });
    const change = (text, make) => button(text, () => this.board.set(make(this.drawing)));
    const bar = (lead, ...parts) => element("div", { class: "bar" }, element("span", { class: "lead", text: lead }), ...parts);
    return element(
      "div",
      { class: "sources" },
      bar("z:", this.sources.group, again),
      bar(
        "Try:",
        change("Half as bright", ({ pixels }) => pixels.map((value) => value / 2)),
        change("Upside down", ({ pixels }) => pixels.slice().reverse()),
        change("Inverted", ({ pixels }) => pixels.map((value) => 1 - value)),
      ),
    );
  }

  makeFolds() {
    const { pack, data } = this;
    const extra = data.extra && { label: data.extra.label, load: () => loadPack(this.address(data.extra.weights)) };
    const fold = (title, make) => {
      const details = element("details", { class: "fold" }, element("summary", { text: title }));
      // What is folded costs nothing until it is opened.
      details.addEventListener("toggle", () => {
        if (details.open && details.children.length === 1) details.append(make());
        this.schedule();
      });
      return details;
    };
    return [
      fold("Move z by hand", () => {
        this.latents = new Latents(pack, {
          extra,
          activeNats: data.activeNats,
          hand: (network, z) => {
            if (z) this.byHand.set(network, z);
            else this.byHand.delete(network);
            this.schedule();
          },
          chosen: () => this.schedule(),
        });
        return this.latents.node;
      }),
      fold("Go from one drawing to another", () => {
        const [first, second] = this.starters;
        const now = this.drawing.pixels.slice();
        const ends = { A: first?.pixels ?? now, B: second?.pixels ?? now };
        this.between = new Between(pack, ends, {
          current: () => this.drawing.pixels,
          line: () => {
            this.source = "line";
            this.byHand.clear();
            this.sources.show("line");
            this.schedule();
          },
        });
        this.between.build();
        return this.between.node;
      }),
      fold("Use a picture of your own", () => photo(this.drawing, (greys) => this.board.set(greys))),
    ];
  }

  schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.update();
    });
  }

  z(network, q) {
    if (this.byHand.has(network)) return this.byHand.get(network);
    if (this.source === "mean") return q.mean;
    if (this.source === "line") return this.between.z(network);
    // The same draw for every network: what differs is what q makes of it.
    const noise = normals(network.latents, generator(7919 * this.seed));
    if (this.source === "prior") return noise;
    return q.mean.map((mean, index) => mean + Math.exp(0.5 * q.logvar[index]) * noise[index]);
  }

  update() {
    if (this.closed) return;
    const { pixels } = this.drawing;
    const shown = new Map();
    for (const row of this.results.rows) {
      const q = posterior(row.network, pixels);
      const z = this.z(row.network, q);
      row.result = evaluate(row.network, pixels, q, z, this.noise);
      this.results.show(row, row.result);
      shown.set(row.network, [q, z]);
    }
    if (this.latents?.node.offsetParent) {
      const { network } = this.latents;
      if (!shown.has(network)) {
        const q = posterior(network, pixels);
        shown.set(network, [q, this.z(network, q)]);
      }
      this.latents.show(...shown.get(network));
    }
    if (this.question) this.answer();
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.describe(), REST);
  }

  describe() {
    const told = this.results.rows.map((row) => this.results.describe(row, row.result));
    this.latents?.describe();
    setText(this.live, told.join(". "));
  }

  ask(network, at) {
    this.question = { network, at };
    this.schedule();
  }

  // What one pixel costs one network, and the pages that take such a pixel apart.
  answer() {
    const { network, at } = this.question;
    const { result } = this.results.rows.find((row) => row.network === network);
    const [t, p] = [this.drawing.pixels[at], result.picture[at]];
    const inside = (value) => Math.min(1, Math.max(0, value));
    const [row, column] = [Math.floor(at / this.pack.width) + 1, (at % this.pack.width) + 1];
    const text =
      `Pixel in row ${row}, column ${column}, ${network.label}: t = ${format(t, 2)}, ` +
      `output p = ${format(p, 2)}, −log p = ${format(result.costs[at], 2)} nats. `;
    const number = (value) => String(Number(inside(value).toFixed(3)));
    const open = (label, path, values) =>
      element("a", { href: this.address(`${path}?${new URLSearchParams(values)}`), target: "_blank", rel: "noopener", text: label });
    const off = Math.min(0.495, Math.max(0.005, Math.abs(t - inside(p))));
    const bias = { t: number(t), h: String(Number(off.toFixed(3))) };
    const derivation = { x: number(t), mean: number(p) };
    if (network.scale && network.likelihood.startsWith("gaussian")) derivation.sigma = String(Number(Math.min(20, Math.max(0.01, network.scale)).toFixed(4)));
    this.asked.replaceChildren(text, open("This pixel on Bias", "bias", bias), " · ", open("on Derivation", "derivation", derivation));
  }

  close() {
    this.closed = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.rest);
  }
}

// Fills `root` with the page for `data`; `address` makes a path of the app absolute. Returns what
// takes it away again. Throws an Error with a sentence when the networks cannot be had.
export async function mount(root, data, address) {
  const page = new Page(root, data, address);
  await page.open();
  return page;
}
