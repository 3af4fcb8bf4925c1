// Runs the classroom's pure modules under node, for tests: node classroom.mjs FOLDER TASK INPUT.json
// prints what they make of the input, as JSON.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, task, inputPath] = process.argv.slice(2);
const input = JSON.parse(readFileSync(inputPath, "utf8"));
const load = (name) => import(pathToFileURL(`${folder}/${name}.js`).href);

const tasks = {
  // What is read of each text that a storage may hold, and of one that refuses.
  async kept() {
    const { load: read, save } = await load("answers");
    const refuse = () => {
      throw new Error("refused");
    };
    const kept = input.texts.map((text) => read({ getItem: () => text }));
    const refused = { getItem: refuse, setItem: refuse };
    return { kept, refused: read(refused), saved: [save(refused, {}), save({ setItem: () => {} }, {})] };
  },
  async progress() {
    const { progress, ticks } = await load("answers");
    return { progress: progress(input.answers, input.totals), ticks: ticks(input.answers, input.totals) };
  },
  async guess() {
    const { sentence, overlooked } = await load("guess");
    return input.data.options.map((_, index) => [sentence(input.data, index), overlooked(input.data, index)]);
  },
  async room() {
    const { bars, moves, told, toStudent } = await load("rooms");
    return input.rooms.map((room) => ({ bars: bars(room), moves: moves(room), told: told(room), toStudent: toStudent(room) }));
  },
  async answered() {
    const { answered } = await load("rooms");
    return input.cases.map(({ room, mine }) => answered(room, mine ?? undefined));
  },
  async pause() {
    const { pause } = await load("rooms");
    return input.cases.map(({ at, ...rest }) => pause({ ...rest, random: () => at }));
  },
  async steps() {
    const { goal } = await load("present");
    return input.cases.map(({ tops, step }) => goal(tops, 1000, step));
  },
  async embed() {
    const { embedCode } = await load("view");
    return input.links.map(embedCode);
  },
};

console.log(JSON.stringify(await tasks[task]()));
