/** The time of `teleport run true` on Slurm, against srun(1). */
import type { Finding } from "../finding.ts";
import { runTrue, shareOf, timeOf } from "../run_true.ts";
import type { Stage } from "../stage.ts";
import type { SlurmPlace } from "./place.ts";

/** The most of the time of srun. */
const MAX_SHARE = 1.3;
export const SRUN = {
  what: "`teleport run true` on Slurm, against `srun true`",
  budget: `at most ${MAX_SHARE} of its time`,
};

/** Runs both in turns, each to its end. */
export async function measureSrun(stage: Stage, { cluster, teleportd }: SlurmPlace): Promise<Finding> {
  const own: number[] = [];
  const other: number[] = [];
  const rounds = stage.quick ? 3 : 11;
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const ownMs = await runTrue(stage, teleportd);
    const otherMs = await timeOf(() => cluster.run("srun", "true"));
    if (round === 0) continue;
    own.push(ownMs);
    other.push(otherMs);
  }
  return shareOf(SRUN, MAX_SHARE, own, other);
}
