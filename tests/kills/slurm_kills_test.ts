/** Kills gateways, job hosts and daemons of nodes on a real Slurm cluster, a few times. `deno task kills` has more rounds. */
import { skippedIf } from "../support/needs.ts";
import { Random, seedFor } from "../support/random.ts";
import { clusterMissing } from "../support/slurm_cluster.ts";
import { runSlurmRounds } from "./slurm_rounds.ts";

const ROUNDS = 4;

Deno.test(
  skippedIf(clusterMissing(), `every job on Slurm has its true end, whichever program is killed (${ROUNDS} rounds)`),
  async () => {
    await runSlurmRounds({ rounds: ROUNDS, random: new Random(seedFor("slurm_kills_test")), isQuick: true });
  },
);
