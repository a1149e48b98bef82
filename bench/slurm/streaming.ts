/** The rate of output from a node, against that of a job of this machine with the same server. */
import type { Finding } from "../finding.ts";
import { connectTo, type Stage } from "../stage.ts";
import { compared, type Transfer, transfers } from "../streaming.ts";
import type { SlurmPlace } from "./place.ts";

/** The least share of the rate of a local job. */
const MIN_SHARE = 0.8;
export const LIVE = { what: "streaming live from a node of Slurm, against a local job", budget: "at least 0.8" };
export const FINISHED = {
  what: "streaming a finished job's output from a node of Slurm, against a local job",
  budget: LIVE.budget,
};

/** Measures both in turns. */
export async function measureNodeStreaming(stage: Stage, { teleportd }: SlurmPlace): Promise<Finding[]> {
  const bytes = stage.quick ? 67_108_864 : 268_435_456;
  const rounds = stage.quick ? 2 : 7;
  await using client = connectTo(stage, teleportd);
  const found = { live: [] as Transfer[], finished: [] as Transfer[] };
  const local = { live: [] as Transfer[], finished: [] as Transfer[] };
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const other = await transfers(client, teleportd, bytes, "local");
    const own = await transfers(client, teleportd, bytes, "slurm");
    if (round === 0) continue;
    found.live.push(own.live);
    found.finished.push(own.finished);
    local.live.push(other.live);
    local.finished.push(other.finished);
  }
  const live = compared(LIVE, MIN_SHARE, bytes, found.live, local.live);
  return [
    { ...live, notes: [...live.notes, "the host on the node, which has processor time too, is not in it"] },
    compared(FINISHED, MIN_SHARE, bytes, found.finished, local.finished),
  ];
}
