// Encoder q(z|x) and decoder p(x|z), as vae/engine/models.py has them. Sums are taken in doubles.

// out = bias + sum over inputs of x[i] times row i of the transposed matrix.
function affine(x, turned, bias, outputs) {
  const out = new Float64Array(outputs);
  if (bias) out.set(bias);
  for (let input = 0, at = 0; input < x.length; input++, at += outputs) {
    const factor = x[input];
    if (factor === 0) continue;
    for (let output = 0; output < outputs; output++) out[output] += factor * turned[at + output];
  }
  return out;
}

function relu(values) {
  for (let index = 0; index < values.length; index++) if (values[index] < 0) values[index] = 0;
  return values;
}

// Mean and logvar of q(z|x), for pixels x as the network's own likelihood wants them.
export function encode({ tensors, architecture, latents }, x) {
  if (architecture === "linear") {
    const centred = Float64Array.from(x, (value, index) => value - tensors["encoder.centre"][index]);
    return {
      mean: affine(centred, tensors["encoder.mean.weight"], null, latents),
      logvar: Float64Array.from(tensors["encoder.logvar"]),
    };
  }
  const bias = tensors["encoder.hidden.bias"];
  const hidden = relu(affine(x, tensors["encoder.hidden.weight"], bias, bias.length));
  const head = affine(hidden, tensors["encoder.head.weight"], tensors["encoder.head.bias"], 2 * latents);
  return { mean: head.slice(0, latents), logvar: head.slice(latents) };
}

// What the likelihood reads: one number a pixel, or as many as it needs.
export function decode({ tensors, architecture }, z) {
  if (architecture === "linear") {
    const centre = tensors["decoder.bias"];
    return affine(z, tensors["decoder.weight"], centre, centre.length);
  }
  const last = tensors["decoder.head.bias"];
  const bias = tensors["decoder.hidden.bias"];
  const hidden = relu(affine(z, tensors["decoder.hidden.weight"], bias, bias.length));
  return affine(hidden, tensors["decoder.head.weight"], last, last.length);
}
