// log p(x | decoder output) for each pixel, in nats; what the output's mean is; a draw from it.
// `output` is the decoder's last layer without an activation, as in vae/engine/likelihoods.py.
const LOG_2PI = Math.log(2 * Math.PI);
// Below this logit the closed forms lose digits and their series, wrong by less than 1e-15, do not.
const SERIES_BELOW = 0.05;

const sigmoid = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));
const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));

// The density's logarithm -|a| d + log |a| - log(1 - exp(-|a|)), d the distance of x from the end
// that a favours: no large terms cancel, at whatever logit.
function continuousLogProb(a, x) {
  const size = Math.abs(a);
  if (size < SERIES_BELOW) {
    const square = (a * a) / 4;
    return a * (x - 0.5) - square * (1 / 6 - square * (1 / 180 - square / 2835));
  }
  return Math.log(size) - Math.log1p(-Math.exp(-size)) - size * (a < 0 ? x : 1 - x);
}

// 1/|a| - 1/(exp|a| - 1) from the end that a favours.
function continuousMean(a) {
  const size = Math.abs(a);
  if (size < SERIES_BELOW) {
    const square = a * a;
    return 0.5 + a * (1 / 12 - square * (1 / 720 - square / 30240));
  }
  const distance = 1 / size - 1 / Math.expm1(size);
  return a < 0 ? distance : 1 - distance;
}

// The inverse distribution function at u; for a > 0 by the mirror image, where nothing overflows.
function continuousDraw(a, u) {
  if (a > 0) return 1 - continuousDraw(-a, 1 - u);
  return a > -1e-6 ? u : Math.log1p(u * Math.expm1(a)) / a;
}

// Most likelihoods say of each number of the decoder, alone: its mean, log p(x), and a draw from one
// normal and one uniform number.
const located = ({ squash }) => (squash ? sigmoid : (output) => output);

function gaussian(network) {
  const { scale } = network;
  const constant = Math.log(scale) + 0.5 * LOG_2PI;
  const mean = located(network);
  return {
    mean,
    logProb: (output, x) => -0.5 * ((x - mean(output)) / scale) ** 2 - constant,
    draw: (output, normal) => mean(output) + scale * normal,
  };
}

function laplace(network) {
  const { scale } = network;
  const mean = located(network);
  return {
    mean,
    logProb: (output, x) => -Math.abs(x - mean(output)) / scale - Math.log(2 * scale),
    draw: (output, normal, uniform) =>
      mean(output) - scale * Math.sign(uniform - 0.5) * Math.log1p(-2 * Math.abs(uniform - 0.5)),
  };
}

// Three degrees of freedom: F = 1/2 + (a + sin a cos a) / pi with a = arctan(u / sqrt 3), which is
// turned round by halving.
function studentQuantile(uniform) {
  let [low, high] = [-Math.PI / 2, Math.PI / 2];
  for (let halving = 0; halving < 40; halving++) {
    const angle = (low + high) / 2;
    if (0.5 + (angle + Math.sin(angle) * Math.cos(angle)) / Math.PI < uniform) low = angle;
    else high = angle;
  }
  return Math.sqrt(3) * Math.tan((low + high) / 2);
}

function studentT(network) {
  const { scale } = network;
  const mean = located(network);
  const constant = Math.log((scale * Math.PI * Math.sqrt(3)) / 2);
  return {
    mean,
    logProb: (output, x) => -2 * Math.log1p(((x - mean(output)) / scale) ** 2 / 3) - constant,
    draw: (output, normal, uniform) => mean(output) + scale * studentQuantile(uniform),
  };
}

// Probabilities of grey levels from one bell, what lies beyond the ends counted at the ends.
function discretisedLogistic(network) {
  const { scale } = network;
  const location = located(network);
  const width = 1 / (255 * scale);
  const inside = Math.log(-Math.expm1(-width));
  const slope = (a) => sigmoid(a) * sigmoid(-a);
  return {
    // The sum over the levels' edges as an integral, with its first correction at the ends.
    mean: (output) => {
      const [low, high] = [location(output) / scale, (location(output) - 1) / scale];
      return scale * (softplus(low) - softplus(high)) + (slope(high) - slope(low)) / (24 * 255 ** 2 * scale);
    },
    logProb: (output, x) => {
      const level = Math.round(255 * x);
      const middle = (level / 255 - location(output)) / scale;
      const below = -softplus(-(middle + width / 2));
      const above = -softplus(middle - width / 2);
      return level === 0 ? below : level === 255 ? above : below + above + inside;
    },
    draw: (output, normal, uniform) => {
      const drawn = location(output) + scale * Math.log(uniform / (1 - uniform));
      return Math.round(255 * Math.min(1, Math.max(0, drawn))) / 255;
    },
  };
}

const bernoulli = () => ({
  mean: sigmoid,
  logProb: (output, x) => x * output - softplus(output),
  draw: (output, normal, uniform) => (uniform < sigmoid(output) ? 1 : 0),
});

const continuousBernoulli = () => ({
  mean: continuousMean,
  logProb: continuousLogProb,
  draw: (output, normal, uniform) => continuousDraw(output, uniform),
  lambda: sigmoid,
});

// A loss in a likelihood's place: minus the loss, and nothing to draw from.
const counterBiased = () => ({
  mean: sigmoid,
  logProb: (output, x) => {
    const h = sigmoid(output) - x;
    return -h * h * (2 * x * (1 - x) + h * ((4 / 3) * (1 - 2 * x) - h));
  },
  draw: (output) => sigmoid(output),
});

// What all likelihoods offer: `means` of the decoder's whole output, and `show`, which fills
// {picture, draw, costs, lambda} for pixels x. Nats; one number a pixel each.
function pointwise({ mean, logProb, draw, lambda }) {
  return {
    means: (output) => output.map(mean),
    show: (output, x, noise) => ({
      picture: output.map(mean),
      draw: output.map((a, index) => draw(a, noise.normal[index], noise.uniform[index])),
      costs: output.map((a, index) => -logProb(a, x[index])),
      lambda: lambda && output.map(lambda),
    }),
  };
}

// First the means of all pixels, then as many free log scales, above a floor of exp(-4).
function gaussianPerPixel(network) {
  const mean = located(network);
  const floor = -4;
  const split = (output) => {
    const half = output.length / 2;
    const means = output.slice(0, half).map(mean);
    return [means, output.slice(half).map((free) => floor + softplus(free - floor))];
  };
  return {
    means: (output) => split(output)[0],
    show: (output, x, noise) => {
      const [picture, logScales] = split(output);
      const scales = logScales.map(Math.exp);
      return {
        picture,
        scales,
        draw: picture.map((value, index) => value + scales[index] * noise.normal[index]),
        costs: picture.map(
          (value, index) => 0.5 * ((x[index] - value) / scales[index]) ** 2 + logScales[index] + 0.5 * LOG_2PI,
        ),
      };
    },
  };
}

// A softmax over 256 grey levels from a few numbers a pixel and one table for all pixels, which
// arrives transposed: a row of as many numbers for each level.
function categorical({ tensors, pixels }) {
  const levels = 256;
  const [table, bias] = [tensors["likelihood.table"], tensors["likelihood.bias"]];
  const features = table.length / levels;
  const p = new Float64Array(levels);
  // Fills p with the pixel's probabilities, before their division by the sum; returns the sum.
  const weigh = (output, pixel) => {
    let [highest, total] = [-Infinity, 0];
    for (let level = 0; level < levels; level++) {
      let logit = bias[level];
      for (let at = 0; at < features; at++) logit += output[pixel * features + at] * table[level * features + at];
      p[level] = logit;
      if (logit > highest) highest = logit;
    }
    for (let level = 0; level < levels; level++) total += p[level] = Math.exp(p[level] - highest);
    return total;
  };
  const average = (total) => p.reduce((sum, weight, level) => sum + weight * level, 0) / total / 255;
  return {
    means: (output) => Float64Array.from({ length: pixels }, (_, pixel) => average(weigh(output, pixel))),
    show: (output, x, noise) => {
      const shown = { picture: new Float64Array(pixels), draw: new Float64Array(pixels), costs: new Float64Array(pixels) };
      for (let pixel = 0; pixel < pixels; pixel++) {
        const total = weigh(output, pixel);
        shown.picture[pixel] = average(total);
        shown.costs[pixel] = Math.log(total) - Math.log(p[Math.round(255 * x[pixel])]);
        let [level, left] = [0, noise.uniform[pixel] * total - p[0]];
        while (left > 0 && level < levels - 1) left -= p[++level];
        shown.draw[pixel] = level / 255;
      }
      return shown;
    },
  };
}

const BUILDERS = {
  gaussian,
  "gaussian-learned": gaussian,
  "gaussian-optimal": gaussian,
  laplace,
  "laplace-learned": laplace,
  "student-t": studentT,
  "discretised-logistic": discretisedLogistic,
  bernoulli,
  "continuous-bernoulli": continuousBernoulli,
  "counter-biased": counterBiased,
};
const WHOLE = { "gaussian-per-pixel": gaussianPerPixel, categorical };

export function buildLikelihood(network) {
  const { likelihood } = network;
  if (likelihood in BUILDERS) return pointwise(BUILDERS[likelihood](network));
  if (likelihood in WHOLE) return WHOLE[likelihood](network);
  throw new Error(`likelihood: ${likelihood} is unknown to this page. Reload it.`);
}

// Pixels as the likelihood wants them. A byte k of a dequantised set becomes (k + u) / 256 with u
// uniform; the log density is linear in x, so u = 1/2 gives its mean over u exactly.
export function target(network, pixels) {
  if (!network.dequantised) return pixels;
  return Float64Array.from(pixels, (x) => (255 * x + 0.5) / 256);
}
