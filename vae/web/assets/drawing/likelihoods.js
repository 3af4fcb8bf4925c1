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

function gaussian({ scale, squash }) {
  const constant = Math.log(scale) + 0.5 * LOG_2PI;
  const mean = squash ? sigmoid : (output) => output;
  return {
    mean,
    logProb: (output, x) => -0.5 * ((x - mean(output)) / scale) ** 2 - constant,
    draw: (output, normal) => mean(output) + scale * normal,
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

const BUILDERS = {
  gaussian,
  "gaussian-learned": gaussian,
  "gaussian-optimal": gaussian,
  bernoulli,
  "continuous-bernoulli": continuousBernoulli,
  "counter-biased": counterBiased,
};

export function buildLikelihood(network) {
  const build = BUILDERS[network.likelihood];
  if (!build) throw new Error(`likelihood: ${network.likelihood} is unknown to this page. Reload it.`);
  return build(network);
}

// Pixels as the likelihood wants them. A byte k of a dequantised set becomes (k + u) / 256 with u
// uniform; the log density is linear in x, so u = 1/2 gives its mean over u exactly.
export function target(network, pixels) {
  if (!network.dequantised) return pixels;
  return Float64Array.from(pixels, (x) => (255 * x + 0.5) / 256);
}
