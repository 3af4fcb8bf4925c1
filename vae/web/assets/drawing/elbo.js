// One network on one drawing: pictures, the cost of each pixel, and the terms of the loss.
import { decode, encode } from "./networks.js";
import { buildLikelihood, target } from "./likelihoods.js";

const likelihoods = new WeakMap();

export function likelihoodOf(network) {
  if (!likelihoods.has(network)) likelihoods.set(network, buildLikelihood(network));
  return likelihoods.get(network);
}

// q(z|x) of the drawing: {mean, logvar}.
export const posterior = (network, pixels) => encode(network, target(network, pixels));

export function klPerLatent({ mean, logvar }) {
  return mean.map((m, index) => 0.5 * (m * m + Math.exp(logvar[index]) - 1 - logvar[index]));
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

// The decoder's mean picture at z.
export function meanPicture(network, z) {
  return decode(network, z).map(likelihoodOf(network).mean);
}

// Everything shown of `network` for `pixels` (D, in [0, 1]) at z; `noise` is {normal, uniform},
// one of each a pixel. Nats per image; squared error per pixel, against the drawing itself.
export function evaluate(network, pixels, q, z, noise) {
  const likelihood = likelihoodOf(network);
  const x = target(network, pixels);
  const output = decode(network, z);
  const count = output.length;
  const picture = new Float64Array(count);
  const draw = new Float64Array(count);
  const costs = new Float64Array(count);
  let squared = 0;
  for (let index = 0; index < count; index++) {
    const a = output[index];
    picture[index] = likelihood.mean(a);
    draw[index] = likelihood.draw(a, noise.normal[index], noise.uniform[index]);
    costs[index] = -likelihood.logProb(a, x[index]);
    squared += (picture[index] - pixels[index]) ** 2;
  }
  const logLikelihood = -sum(costs) / (network.reduction === "pixel-mean" ? count : 1);
  const kl = sum(klPerLatent(q));
  return {
    picture,
    draw,
    costs,
    lambda: likelihood.lambda && output.map(likelihood.lambda),
    logLikelihood,
    kl,
    loss: network.beta * kl - logLikelihood,
    mse: squared / count,
  };
}
