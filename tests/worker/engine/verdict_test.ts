/** Tests of the table that decides about a job of an engine. */
import assert from "node:assert/strict";
import type { EngineWord } from "../../../worker/engine/engine.ts";
import { decidesInMs, MAX_SUBMITS, type Sight, verdict } from "../../../worker/engine/verdict.ts";

const SETTLE_MS = 30_000;
const word = (phase: EngineWord["phase"], nodeAnswers?: boolean): EngineWord => ({
  id: "teleport-0",
  phase,
  text: phase,
  ...(nodeAnswers === undefined ? {} : { nodeAnswers }),
});
const [queued, placed, ended] = [word("QUEUED"), word("PLACED"), word("ENDED")];
const [silent, back] = [word("NODE_LOST", false), word("NODE_LOST", true)];

/** Claimed, linked, words, seconds without a change, and the verdict with its text. */
const ROWS: readonly (readonly [string, boolean, readonly EngineWord[], number, string])[] = [
  ["an unclaimed job that waits", false, [queued], 1_000, "WAITS QUEUED"],
  ["an unclaimed job on a node", false, [placed], 1_000, "WAITS PLACED"],
  ["an unclaimed job whose first submission ended and second waits", false, [ended, queued], 1_000, "WAITS QUEUED"],
  ["an unclaimed job that was not found yet", false, [], 29, "WAITS it does not know the job"],
  ["an unclaimed job that is forgotten", false, [], 30, "SUBMIT"],
  ["an unclaimed job that has just ended", false, [ended], 29, "WAITS ENDED"],
  ["an unclaimed job that ended", false, [ended], 30, "FAILED ENDED"],
  ["an unclaimed job on a lost node", false, [silent], 30, "SUBMIT"],
  ["an unclaimed job twice ended", false, [ended, back], 30, "FAILED ENDED, NODE_LOST"],
  ["a claimed job that Slurm still has", true, [placed], 1_000, "UNREACHABLE PLACED"],
  ["a claimed job that Slurm queued again", true, [queued], 1_000, "UNREACHABLE QUEUED"],
  ["a claimed job on a node that is silent", true, [silent], 100_000, "UNREACHABLE NODE_LOST"],
  ["a claimed job on a node that is silent, once more ended", true, [ended, silent], 100_000, "UNREACHABLE NODE_LOST"],
  ["a claimed job on a node that is back", true, [back], 29, "UNREACHABLE NODE_LOST"],
  ["a claimed job on a node that is back for a while", true, [back], 30, "LOST NODE_LOST"],
  ["a claimed job that has just ended", true, [ended], 29, "UNREACHABLE ENDED"],
  ["a claimed job that ended", true, [ended], 30, "LOST ENDED"],
  ["a claimed job that is not found yet", true, [], 29, "UNREACHABLE it does not know the job"],
  ["a claimed job that is forgotten", true, [], 30, "LOST it does not know the job"],
];

for (const [name, isClaimed, words, seconds, expected] of ROWS) {
  Deno.test(`verdict() of ${name}, after ${seconds} s: ${expected}`, () => {
    const sight: Sight = { isClaimed, isLinked: false, words, unchangedMs: seconds * 1_000, submits: 1 };
    const found = verdict(sight, SETTLE_MS);
    assert.equal("text" in found ? `${found.is} ${found.text}` : found.is, expected);
  });
}

Deno.test("verdict() believes a connected host whatever the engine says", () => {
  for (const words of [[], [ended], [queued], [silent], [back]]) {
    const sight: Sight = { isClaimed: true, isLinked: true, words, unchangedMs: 1e9, submits: 1 };
    assert.deepEqual(verdict(sight, SETTLE_MS), { is: "ALIVE" });
  }
});

Deno.test("decidesInMs() gives the time until words decide that stay the same", () => {
  const sight = { isClaimed: true, isLinked: false, unchangedMs: 10_000, submits: 1 };
  const rows: readonly (readonly [Partial<Sight>, number])[] = [
    [{ words: [ended] }, 20_000],
    [{ words: [] }, 20_000],
    [{ words: [back] }, 20_000],
    [{ words: [silent] }, Infinity],
    [{ words: [placed] }, Infinity],
    [{ words: [ended], isLinked: true }, Infinity],
    [{ words: [ended], unchangedMs: SETTLE_MS }, Infinity],
    [{ words: [ended], isClaimed: false }, 20_000],
    [{ words: [queued], isClaimed: false }, Infinity],
  ];
  for (const [facts, ms] of rows) assert.equal(decidesInMs({ ...sight, words: [], ...facts }, SETTLE_MS), ms);
});

Deno.test("verdict() submits a job that is forgotten only a few times", () => {
  const sight: Sight = { isClaimed: false, isLinked: false, words: [], unchangedMs: 1e9, submits: MAX_SUBMITS };
  assert.deepEqual(verdict(sight, SETTLE_MS), { is: "FAILED", text: "it does not know the job" });
});
