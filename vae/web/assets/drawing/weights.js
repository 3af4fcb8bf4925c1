// Reads the binary that vae/export/weights.py writes. Matrices come out transposed, one row for
// each input: a product then adds whole rows, and an input of 0 costs nothing.
const MAGIC = 0x57454156; // "VAEW"
const VERSION = 1;

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function readFloats(buffer, base, place) {
  const words = new Uint16Array(buffer, base + place.at, place.count);
  return Float32Array.from(words, half);
}

// Integers of `bits` bits in offset binary, the lowest bit first.
function readIntegers(buffer, base, place) {
  const { at, count, bits } = place;
  const bytes = new Uint8Array(buffer, base + at, Math.ceil((count * bits) / 8));
  const middle = 2 ** (bits - 1);
  const mask = 2 ** bits - 1;
  const values = new Int16Array(count);
  let held = 0;
  let have = 0;
  let next = 0;
  for (let index = 0; index < count; index++) {
    while (have < bits) {
      held |= bytes[next++] << have;
      have += 8;
    }
    values[index] = (held & mask) - middle;
    held >>>= bits;
    have -= bits;
  }
  return values;
}

function readTensor(buffer, base, { shape, values, scales }) {
  if (shape.length < 2) return readFloats(buffer, base, values);
  const [rows, columns] = shape;
  const flat = scales ? readIntegers(buffer, base, values) : readFloats(buffer, base, values);
  const factors = scales && readFloats(buffer, base, scales);
  const turned = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const factor = factors ? factors[row] : 1;
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = flat[row * columns + column] * factor;
  }
  return turned;
}

// {height, width, labels, names, networks}; throws an Error with a sentence for a learner.
export function readWeights(buffer) {
  const head = buffer.byteLength >= 12 ? new DataView(buffer) : null;
  if (!head || head.getUint32(0, true) !== MAGIC || head.getUint32(4, true) !== VERSION)
    throw new Error("The networks’ file is damaged or of another version. Reload the page.");
  const length = head.getUint32(8, true);
  const base = 12 + length;
  try {
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 12, length)));
    const networks = header.networks.map((network) => ({
      ...network,
      pixels: header.height * header.width,
      codes: network.codes && readFloats(buffer, base, network.codes),
      tensors: Object.fromEntries(
        Object.entries(network.tensors).map(([name, tensor]) => [name, readTensor(buffer, base, tensor)]),
      ),
    }));
    const { labels } = header;
    return { ...header, networks, labels: labels && new Uint8Array(buffer, base + labels.at, labels.count) };
  } catch {
    throw new Error("The networks’ file arrived incomplete. Reload the page.");
  }
}
