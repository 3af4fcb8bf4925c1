// A row for each network: its mean, a draw, what each pixel costs, and the numbers.
import { format, paintGreys, paintHeat, picture, setText } from "./dom.js";
import { element } from "./elements.js";

// What the scale of a likelihood is called.
const SCALES = { laplace: "b", "laplace-learned": "b", "student-t": "s", "discretised-logistic": "s" };

function scaleNote(network, { scales }) {
  if (scales) return `σ ${format(Math.min(...scales), 2)} to ${format(Math.max(...scales), 2)}`;
  return network.scale == null ? "" : `${SCALES[network.likelihood] ?? "σ"} = ${format(network.scale, 3)}`;
}

export class Results {
  // `pick(network, index)`: a pixel of a cost map was chosen.
  constructor(pack, { small, pick }) {
    this.small = small;
    this.rows = pack.networks.map((network) => this.#makeRow(pack, network, pick));
    const heads = small
      ? []
      : ["loss", "mean of p(x|z)", "a draw from it", "−log p by pixel", "in nats, error by pixel"];
    this.node = element(
      "div",
      { class: small ? "results small" : "results", role: "table", "aria-label": "What each network makes of the drawing" },
      small
        ? null
        : element(
            "div",
            { class: "line head", role: "row" },
            ...heads.map((text) => element("div", { role: "columnheader", text })),
          ),
      ...this.rows.map((row) => row.node),
    );
  }

  #makeRow(pack, network, pick) {
    const make = (what) => picture(pack.width, pack.height, `${what}, ${network.label}`);
    const row = { network, mean: make("mean picture") };
    const cell = (...children) => element("div", { role: "cell" }, ...children);
    const name = element("div", { role: "rowheader", class: "name" }, element("span", { text: network.label }));
    name.style.setProperty("--mark", network.colour);
    if (this.small) {
      row.numbers = { mse: element("span") };
      row.node = element("div", { class: "line", role: "row" }, name, cell(row.mean), cell(element("small", { text: "squared error" }), row.numbers.mse));
      return row;
    }
    Object.assign(row, { draw: make("a draw"), cost: make("cost of each pixel") });
    row.note = element("small");
    row.range = element("small");
    row.numbers = Object.fromEntries(
      ["logLikelihood", "kl", "loss", "mse"].map((key) => [key, element("span")]),
    );
    row.lambda = network.likelihood === "continuous-bernoulli" ? make("lambda, the parameter") : null;
    if (row.lambda) name.append(element("div", { class: "lambda" }, row.lambda, element("small", { text: "λ, not its mean" })));
    this.#makePicker(row, pack, network, pick);
    const named = { logLikelihood: "log p(x|z)", kl: "KL", loss: "loss", mse: "squared error" };
    row.node = element(
      "div",
      { class: "line", role: "row" },
      name,
      cell(row.mean),
      cell(row.draw, row.note),
      cell(row.cost, row.range),
      element(
        "div",
        { class: "numbers", role: "cell" },
        ...Object.entries(row.numbers).map(([key, node]) => element("div", {}, element("i", { text: named[key] }), node)),
      ),
    );
    return row;
  }

  // The cost map is also a way to ask about one pixel, by pointer or by keys.
  #makePicker(row, pack, network, pick) {
    const { cost } = row;
    let at = Math.floor(pack.height / 2) * pack.width + Math.floor(pack.width / 2);
    const choose = (index) => {
      at = index;
      pick(network, at);
    };
    cost.setAttribute("tabindex", "0");
    cost.setAttribute("role", "application");
    cost.setAttribute("aria-roledescription", "map of costs");
    cost.classList.add("asks");
    cost.addEventListener("pointerdown", (event) => {
      const box = cost.getBoundingClientRect();
      const column = Math.floor(((event.clientX - box.left) / box.width) * pack.width);
      const line = Math.floor(((event.clientY - box.top) / box.height) * pack.height);
      const inside = (value, most) => Math.min(most - 1, Math.max(0, value));
      choose(inside(line, pack.height) * pack.width + inside(column, pack.width));
    });
    cost.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -pack.width, ArrowDown: pack.width, Enter: 0, " ": 0 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      event.stopPropagation();
      const next = at + steps[event.key];
      choose(next >= 0 && next < pack.width * pack.height ? next : at);
    });
  }

  show(row, result) {
    const { network, numbers } = row;
    paintGreys(row.mean, result.picture);
    setText(numbers.mse, format(result.mse, 4));
    if (this.small) return;
    paintGreys(row.draw, result.draw);
    if (row.lambda) paintGreys(row.lambda, result.lambda);
    let low = Infinity;
    let high = -Infinity;
    for (const cost of result.costs) {
      if (cost < low) low = cost;
      if (cost > high) high = cost;
    }
    paintHeat(row.cost, result.costs, low, high);
    setText(row.range, `${format(low, 1)} to ${format(high, 1)} nats`);
    setText(row.note, scaleNote(network, result));
    setText(numbers.logLikelihood, format(result.logLikelihood, 1));
    setText(numbers.kl, format(result.kl, 1));
    setText(numbers.loss, format(result.loss, 1));
  }

  // Text alternatives follow when the hand rests: a screen reader reads no sixty a second.
  describe(row, result) {
    const { label } = row.network;
    const error = `squared error ${format(result.mse, 4)} per pixel`;
    row.mean.setAttribute("aria-label", `Mean picture, ${label}: ${error}`);
    if (this.small) return `${label}: ${error}`;
    row.draw.setAttribute("aria-label", `A draw from p(x|z), ${label}${row.note.textContent && `: ${row.note.textContent}`}`);
    row.cost.setAttribute(
      "aria-label",
      `Minus log p of each pixel, ${label}: ${row.range.textContent}. Arrow keys choose a pixel.`,
    );
    return `${label}: loss ${format(result.loss, 1)}, KL ${format(result.kl, 1)} nats, ${error}`;
  }
}
