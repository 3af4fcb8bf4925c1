// From one drawing to another: along a line of z for each network, and along a line of pixels.
import { meanPicture, posterior } from "./elbo.js";
import { paintGreys, picture, slider } from "./dom.js";
import { button, element } from "./elements.js";

const STEPS = 9;

export const mix = (from, to, share) => from.map((value, index) => value + share * (to[index] - value));

export class Between {
  // `current()` is the drawing now; `line(share)` is called as the slider moves.
  constructor(pack, ends, { current, line }) {
    Object.assign(this, { pack, ends, line });
    this.share = 0.5;
    const end = (name) => {
      const shown = picture(pack.width, pack.height, `drawing ${name}`);
      const keep = button(`Keep the drawing as ${name}`, () => {
        this.ends[name] = current().slice();
        this.build();
      });
      return { shown, node: element("div", { class: "end" }, shown, keep) };
    };
    this.shown = { A: end("A"), B: end("B") };
    this.strips = element("div", { class: "strips" });
    const range = slider("Share of the way from A to B", { min: 0, max: 1, step: 0.01, value: 0.5 }, (value) => {
      this.share = value;
      this.line(value);
    });
    this.node = element(
      "div",
      { class: "between" },
      element("div", { class: "bar" }, this.shown.A.node, this.shown.B.node),
      this.strips,
      element("label", { class: "named" }, "A to B", range, element("span", { text: "moves z in the rows above" })),
    );
  }

  // z of `network` a share of the way from A's mean to B's.
  z(network) {
    const [from, to] = ["A", "B"].map((name) => posterior(network, this.ends[name]).mean);
    return mix(from, to, this.share);
  }

  build() {
    for (const name of ["A", "B"]) paintGreys(this.shown[name].shown, this.ends[name]);
    const rows = this.pack.networks.map((network) => {
      const [from, to] = ["A", "B"].map((name) => posterior(network, this.ends[name]).mean);
      return [network.label, network.colour, (share) => meanPicture(network, mix(from, to, share))];
    });
    rows.push(["in pixels", "", (share) => mix(this.ends.A, this.ends.B, share)]);
    this.strips.replaceChildren(...rows.map((row) => this.#strip(...row)));
  }

  #strip(label, colour, at) {
    const { width, height } = this.pack;
    const where = label === "in pixels" ? "the pixels mixed" : `along z of ${label}`;
    const canvas = picture(STEPS * (width + 1) - 1, height, `From A to B, ${where}`);
    const pen = canvas.getContext("2d");
    const one = picture(width, height, "");
    for (let step = 0; step < STEPS; step++) {
      paintGreys(one, at(step / (STEPS - 1)));
      pen.drawImage(one, step * (width + 1), 0);
    }
    const name = element("div", { class: "name" }, element("span", { text: label }));
    if (colour) name.style.setProperty("--mark", colour);
    return element("div", { class: "strip" }, name, canvas);
  }
}
