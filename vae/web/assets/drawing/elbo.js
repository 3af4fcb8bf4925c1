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
  return likelihoodOf(network).means(decode(network, z));
}

// Everything shown of `network` for `pixels` (D, in [0, 1]) at z; `noise` is {normal, uniform},
// one of each a pixel. Nats per image; squared error per pixel, against the drawing itself.
export function evaluate(network, pixels, q, z, noise) {
  const shown = likelihoodOf(network).show(decode(network, z), target(network, pixels), noise);
  const count = pixels.length;
  const logLikelihood = -sum(shown.costs) / (network.reduction === "pixel-mean" ? count : 1);
  const kl = sum(klPerLatent(q));
  const squared = shown.picture.reduce((total, value, index) => total + (value - pixels[index]) ** 2, 0);
  return { ...shown, logLikelihood, kl, loss: network.beta * kl - logLikelihood, mse: squared / count };
}
