// What a room's panel says and offers, from what the server told: pure.
import { sentence } from "./guess.js";

const PHASES = {
  idle: "No question yet.",
  open: "The vote is open.",
  closed: "The vote is closed.",
  revealed: "Revealed.",
};

export const people = (count) => (count === 1 ? "1 vote" : `${count} votes`);

// The teacher's commands that have a meaning now: [command, label].
export function moves(room) {
  if (room.phase === "open") return [["close", "Close the vote"]];
  if (room.phase !== "closed") return [];
  const again = room.round < 2 ? [["again", "Vote again, after talking"]] : [];
  return [["reveal", "Reveal"], ...again];
}

export function told(room) {
  if (room.phase === "idle") return PHASES.idle;
  const round = room.round > 1 ? "Second vote. " : "";
  return `${round}${PHASES[room.phase]} ${people(room.votes)}.`;
}

// What a student is told, in one sentence.
export function toStudent(room) {
  if (room.phase === "idle") return "You are in the room. A question will stand here.";
  if (room.phase === "open") return room.voted ? "Your vote is counted." : room.round > 1 ? "Vote again: what do you say now?" : "What do you say?";
  if (room.phase === "closed") return "The vote is closed. Talk to your neighbours.";
  return "";
}

// What is said of a revealed question: why the right choice is right, and of this browser's own
// choice, where it was another, what it overlooks.
export function answered(room, mine) {
  const { choices, answer, replies, theory, kept, outcome } = room.question;
  const own = Number.isInteger(mine) && mine in choices ? mine : undefined;
  const missed = own !== undefined && answer != null && own !== answer ? replies[own] : "";
  if (theory) {
    const said = sentence({ options: choices.map((text) => ({ text })), theory, kept, outcome }, own);
    return [said, missed].filter(Boolean).join(" ");
  }
  const why = answer == null ? "" : replies[answer];
  return [missed && `You said “${choices[own]}”. ${missed}`, why].filter(Boolean).join(" ");
}

// Rows of bars: each choice with the share of every round, in words and as a width.
export function bars(room) {
  if (!room.question) return [];
  return room.question.choices.map((text, index) => ({
    text,
    right: room.question.answer === index,
    rounds: room.counts.map((counts) => {
      const all = counts.reduce((sum, each) => sum + each, 0);
      const share = all ? counts[index] / all : 0;
      return { count: counts[index], share, text: `${counts[index]} (${Math.round(100 * share)}%)` };
    }),
  }));
}

// Seconds until a room is asked for again: a class does not ask in step, and a page that nobody
// looks at hardly asks.
export function pause({ teacher, hidden, random = Math.random }) {
  if (hidden) return 10;
  return (teacher ? 1 : 2) * (0.75 + 0.5 * random());
}
