// Runs the drawing's own modules under node, for tests: node drawing.mjs FOLDER TASK INPUT.json
// prints what the modules make of the input, as JSON.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, task, inputPath] = process.argv.slice(2);
const input = JSON.parse(readFileSync(inputPath, "utf8"));
const load = (name) => import(pathToFileURL(`${folder}/${name}.js`).href);

async function readPack() {
  const { readWeights } = await load("weights");
  const file = readFileSync(input.pack);
  return readWeights(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
}

const tasks = {
  async header() {
    const { networks, labels, ...rest } = await readPack();
    return {
      ...rest,
      labels: labels && [...labels],
      networks: networks.map(({ tensors, codes, ...network }) => ({ ...network, codes: codes && [...codes] })),
    };
  },
  // For each network and picture: q, and everything shown at the mean of q or at a given z.
  async evaluate() {
    const { evaluate, posterior, klPerLatent } = await load("elbo");
    const { networks } = await readPack();
    const noise = { normal: input.normal, uniform: input.uniform };
    return networks.map((network) =>
      input.pictures.map((picture) => {
        const pixels = Float32Array.from(picture);
        const q = posterior(network, pixels);
        const shown = evaluate(network, pixels, q, input.z ?? q.mean, noise);
        const lists = Object.fromEntries(
          Object.entries(shown).map(([name, value]) => [name, value?.length ? [...value] : value ?? null]),
        );
        return { ...lists, mean: [...q.mean], logvar: [...q.logvar], klPerLatent: [...klPerLatent(q)] };
      }),
    );
  },
  async read() {
    try {
      await readPack();
      return { error: "" };
    } catch (error) {
      return { error: error.message };
    }
  },
  async stroke() {
    const { blank, startStroke } = await load("strokes");
    const drawing = blank(input.width, input.height);
    if (input.ground) drawing.pixels.fill(input.ground);
    for (const { brush, points } of input.strokes) {
      const stroke = startStroke(drawing, brush);
      for (const [x, y] of points) stroke({ x, y });
    }
    return [...drawing.pixels];
  },
  async shrink() {
    const { shrink } = await load("strokes");
    const data = Uint8ClampedArray.from(input.data);
    return [...shrink({ ...input.size, data }, input.width, input.height, input.settings)];
  },
  async noise() {
    const { pixelNoise } = await load("noise");
    const { normal, uniform } = pixelNoise(input.count, input.seed);
    return { normal: [...normal], uniform: [...uniform] };
  },
};

console.log(JSON.stringify(await tasks[task]()));
