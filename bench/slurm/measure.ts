/** Jobs on a node of Slurm, compared with jobs of this machine and with srun(1). The node is on this machine too. */
import { clusterMissing } from "../../tests/support/slurm_cluster.ts";
import { type Finding, skipped } from "../finding.ts";
import type { Stage } from "../stage.ts";
import { measureManyJobs, MEMORY } from "./many_jobs.ts";
import { startSlurm } from "./place.ts";
import { measureSrun, SRUN } from "./srun.ts";
import { FINISHED, LIVE, measureNodeStreaming } from "./streaming.ts";

/** Measures all, or says why it cannot. */
export async function measureSlurm(stage: Stage): Promise<Finding[]> {
  const why = clusterMissing();
  if (why !== undefined) return [LIVE, FINISHED, SRUN, MEMORY].map((budget) => skipped(budget, why));
  await using place = await startSlurm(stage);
  return [
    ...await measureNodeStreaming(stage, place),
    await measureSrun(stage, place),
    ...await measureManyJobs(stage, place),
  ];
}
