/** The time of `teleport run true` on Slurm, against srun(1). */
import { clientEnvironment, SOURCES } from "../client_program.ts";
import type { Finding } from "../finding.ts";
import { checked } from "../shell.ts";
import type { Stage } from "../stage.ts";
import { list, median } from "../statistics.ts";
import type { SlurmPlace } from "./place.ts";

/** The most of the time of srun. */
const MAX_SHARE = 1.3;
export const SRUN = {
  what: "`teleport run true` on Slurm, against `srun true`",
  budget: `at most ${MAX_SHARE} of its time`,
};

/** Runs both in turns, each to its end. */
export async function measureSrun(stage: Stage, { cluster, teleportd }: SlurmPlace): Promise<Finding> {
  const env = clientEnvironment(stage, teleportd);
  const [command = "", ...args] = SOURCES.command(["run", "true"]);
  const timeOf = async (run: () => Promise<unknown>) => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
  const own: number[] = [];
  const other: number[] = [];
  const rounds = stage.quick ? 3 : 11;
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const ownMs = await timeOf(() => checked(command, args, { env }));
    const otherMs = await timeOf(() => cluster.run("srun", "true"));
    if (round === 0) continue;
    own.push(ownMs);
    other.push(otherMs);
  }
  const ratio = median(own) / median(other);
  return {
    ...SRUN,
    measured: ratio.toFixed(2),
    met: ratio <= MAX_SHARE,
    notes: [
      `${median(own).toFixed(0)} ms against ${median(other).toFixed(0)} ms (medians)`,
      `rounds: ${list(own)} against ${list(other)}`,
    ],
  };
}
