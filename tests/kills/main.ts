// deno-lint-ignore-file no-console -- a program for developers, which prints how the run went
/** `deno task kills`: kills servers and job hosts under load, hundreds of times, and checks every acknowledged fact. */
import { newSeed, Random } from "../support/random.ts";
import { clusterMissing } from "../support/slurm_cluster.ts";
import { refuseOptions, taskOptions } from "../support/task_options.ts";
import { runRounds } from "./rounds.ts";
import { runSlurmRounds } from "./slurm_rounds.ts";
import { FULL_COUNTS, type Victim } from "./victims.ts";

const VICTIMS = Object.keys(FULL_COUNTS) as Victim[];
/** The rounds on a Slurm cluster. */
const SLURM_ROUNDS = 50;
const KINDS = [...VICTIMS, "slurm"] as const;

const HELP = `Usage: deno task kills [OPTIONS]

Kills with SIGKILL under load, and checks afterwards that every acknowledged job is there, that no job was touched that
should live on, and that no byte is lost or doubled.

  --server COUNT     rounds that kill the server (default: ${FULL_COUNTS.server})
  --host COUNT       rounds that kill the job host (default: ${FULL_COUNTS.host})
  --both COUNT       rounds that kill both (default: ${FULL_COUNTS.both})
  --starting COUNT   rounds that kill a server in its start (default: ${FULL_COUNTS.starting})
  --idle COUNT       rounds that kill a server whose jobs are all short (default: ${FULL_COUNTS.idle})
  --slurm COUNT      rounds on a Slurm cluster, which kill the server, job hosts and daemons of nodes (default: ${SLURM_ROUNDS})
  --only VICTIM      only rounds of this kind; repeatable
  --seed NUMBER      the seed, to repeat a run (default: a new one, which is printed)
  --alone            servers without a job host, whose jobs end with them
  --help             print this`;

async function main(args: readonly string[]): Promise<number> {
  const { values } = taskOptions(args, HELP, {
    options: {
      server: { type: "string" },
      host: { type: "string" },
      both: { type: "string" },
      starting: { type: "string" },
      idle: { type: "string" },
      slurm: { type: "string" },
      only: { type: "string", multiple: true },
      seed: { type: "string" },
      alone: { type: "boolean", default: false },
    },
  });
  const unknown = values.only?.find((name) => !(KINDS as readonly string[]).includes(name));
  if (unknown !== undefined) refuseOptions(`'--only' must be one of ${KINDS.join(", ")}, got '${unknown}'`, HELP);
  for (const name of [...KINDS, "seed"] as const) {
    const value = values[name];
    if (value !== undefined && !/^\d+$/.test(value)) {
      refuseOptions(`'--${name}' must be a number, got '${value}'`, HELP);
    }
  }
  const seed = values.seed === undefined ? newSeed() : Number(values.seed);
  console.log(`Repeat this run with --seed ${seed}`);
  const isAlone = values.alone;
  let failed = false;
  for (const victim of isAlone ? ["server"] as const : KINDS) {
    const rounds = Number(values[victim] ?? (victim === "slurm" ? SLURM_ROUNDS : FULL_COUNTS[victim]));
    if (rounds === 0 || values.only?.includes(victim) === false) continue;
    const lacking = victim === "slurm" ? clusterMissing() : undefined;
    if (lacking !== undefined) {
      console.log(`${victim}: skipped: ${lacking}`);
      continue;
    }
    const began = performance.now();
    try {
      const options = { rounds, random: new Random(seed), report: console.log };
      const figures = victim === "slurm"
        ? await runSlurmRounds(options)
        : await runRounds({ ...options, victim, isAlone });
      console.log(`${victim}: ${JSON.stringify(figures)} in ${((performance.now() - began) / 1_000).toFixed()} s`);
    } catch (error) {
      failed = true;
      // A server that cannot be stopped either must not hide the fault.
      console.log(`${victim}: FAILED`, ...error instanceof SuppressedError ? [error.suppressed, error.error] : [error]);
    }
  }
  return failed ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
