// Moving z by hand: sliders for the latents that say most, a map of two of them, what is decoded.
import { klPerLatent, meanPicture } from "./elbo.js";
import { format, paintGreys, picture, setText, slider } from "./dom.js";
import { button, element } from "./elements.js";
import { LatentMap } from "./map.js";

const SHOWN = 6;
const LARGEST = 3.5;

export class Latents {
  // `hand(network, z)`: z is to be this by hand, or with null follow the drawing again.
  // `extra`: a network to be fetched when it is asked for, {label, load}. A latent with less KL than
  // `activeNats` over test images counts as shrunk.
  constructor(pack, { hand, chosen, extra, activeNats }) {
    Object.assign(this, { pack, hand, chosen, activeNats });
    this.all = false;
    this.map = new LatentMap((pair) => this.#move(pair));
    this.picture = picture(pack.width, pack.height, "decoded picture");
    this.picture.classList.add("decoded");
    this.sliders = element("div", { class: "sliders" });
    this.caption = element("p", { class: "note" });
    this.select = element("select", { "aria-label": "Network whose z is moved" });
    pack.networks.forEach((network, index) => this.#offer(network, index));
    if (extra) this.#offerExtra(extra);
    this.select.addEventListener("change", () => this.#change(extra));
    this.more = button("All latents", () => {
      this.all = !this.all;
      this.#build();
    });
    this.back = button("z from the drawing again", () => this.hand(this.network, null));
    this.node = element(
      "div",
      { class: "latents" },
      element("div", {}, element("div", { class: "bar" }, this.select, this.more, this.back), this.sliders),
      element("div", { class: "beside" }, this.map.canvas, this.picture),
      this.caption,
    );
    this.#choose(pack, pack.networks[0]);
  }

  #offer(network, index) {
    this.select.append(element("option", { value: index, text: network.label }));
  }

  #offerExtra(extra) {
    this.select.append(element("option", { value: "extra", text: extra.label }));
  }

  async #change(extra) {
    if (this.select.value !== "extra") {
      this.#choose(this.pack, this.pack.networks[Number(this.select.value)]);
    } else {
      setText(this.caption, "Loading…");
      try {
        const pack = await extra.load();
        this.#choose(pack, pack.networks[0]);
      } catch (error) {
        setText(this.caption, error.message);
        return;
      }
    }
    this.chosen(this.network);
  }

  #choose(pack, network) {
    this.network = network;
    this.map.setNetwork(network, pack.labels, pack.names ?? []);
    const [first, second] = network.ranked;
    const points = network.codes ? "Points: codes of test images by class. " : "";
    setText(
      this.caption,
      `Across: latent ${first + 1}${network.latents > 1 ? `; up: latent ${second + 1}` : ""}. ${points}` +
        "Dashed: the prior at one and two standard deviations. Ellipses: q(z|x) of your drawing. " +
        "Cross: z. A q as wide as the dashed circles says nothing of the drawing.",
    );
    this.#build();
  }

  #build() {
    const { network } = this;
    this.more.hidden = network.latents <= SHOWN;
    setText(this.more, this.all ? "Fewer latents" : `All ${network.latents} latents`);
    const shown = network.ranked.slice(0, this.all ? network.latents : SHOWN);
    this.rows = shown.map((latent) => {
      const name = `latent ${latent + 1}`;
      const range = slider(name, { min: -LARGEST, max: LARGEST, step: 0.05, value: 0 }, (value) => {
        const z = this.z.slice();
        z[latent] = value;
        this.hand(this.network, z);
      });
      const kl = network.klPerLatent?.[latent];
      const shrunk = kl != null && kl < this.activeNats;
      const note = kl == null ? "" : shrunk ? "shrunk: told nothing" : `${format(kl, 2)} nats`;
      const output = element("output");
      const label = element("label", { class: shrunk ? "named shrunk" : "named" }, element("span", {}, name, element("small", { text: note })), range, output);
      return { latent, range, output, label };
    });
    this.sliders.replaceChildren(...this.rows.map((row) => row.label));
    if (this.q) this.show(this.q, this.z);
  }

  #move([x, y]) {
    const z = this.z.slice();
    const [first, second] = this.network.ranked;
    z[first] = x;
    if (second !== undefined) z[second] = y;
    this.hand(this.network, z);
  }

  show(q, z) {
    Object.assign(this, { q, z });
    for (const { latent, range, output } of this.rows) {
      range.value = z[latent];
      setText(output, format(z[latent], 2));
    }
    this.map.show(q, z);
    paintGreys(this.picture, meanPicture(this.network, z));
  }

  describe() {
    if (!this.q) return;
    this.map.describe(this.q);
    const kl = klPerLatent(this.q).reduce((total, value) => total + value, 0);
    this.picture.setAttribute("aria-label", `What ${this.network.label} decodes at this z; the drawing’s KL is ${format(kl, 1)} nats`);
  }
}
