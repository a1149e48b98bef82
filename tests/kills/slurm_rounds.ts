/** Rounds on a real Slurm cluster: kills a gateway, job hosts and daemons of nodes while jobs write, and checks what is true. */
import assert from "node:assert/strict";
import { eventually } from "../support/deadline.ts";
import type { Random } from "../support/random.ts";
import { type SlurmCluster, slurmCluster } from "../support/slurm_cluster.ts";
import { nodeHosts, stepDaemons } from "../support/slurm_gateway.ts";
import { checkEnd } from "./checks.ts";
import { Place } from "./place.ts";
import { type SlurmEnd, SlurmJob, type SlurmKind } from "./slurm_jobs.ts";

/** The programs that a round kills. */
const VICTIMS = ["gateway", "host", "slurmd", "slurmstepd"] as const;

/** A program that a round kills. */
export type SlurmVictim = typeof VICTIMS[number];

/** The jobs that run through the rounds. One that is lost is replaced. */
const LONG = ["slow", "bursts", "slow"] as const;
/** The jobs of one round. */
const SHORT = ["lines", "leaves", "fast", "lines"] as const;

/** The options of a run. */
export interface SlurmRoundsOptions {
  readonly rounds: number;
  readonly random: Random;
  /**
   * True: each round kills one program, and the daemons of nodes only after all jobs have begun. Slurm takes minutes to
   * notice that it has lost a job at its start.
   */
  readonly isQuick?: boolean;
  /** Receives a line after each round. */
  readonly report?: (line: string) => void;
}

/** The figures of a run: the ends of jobs, and the kills. */
export type SlurmFigures = Readonly<Record<SlurmEnd | SlurmVictim, number>>;

/** One run at a cluster and a gateway of its own. */
class SlurmRun {
  readonly #place: Place;
  readonly #cluster: SlurmCluster;
  readonly #options: SlurmRoundsOptions;
  #long: SlurmJob[] = [];
  readonly #away = new Set<"gateway" | "n1" | "n2">();
  /** Programs of nodes were killed. Slurm may notice that minutes later. */
  #mayEnd = false;
  readonly figures = { exact: 0, ended: 0, lost: 0, failed: 0, gateway: 0, host: 0, slurmd: 0, slurmstepd: 0 };

  constructor(place: Place, cluster: SlurmCluster, options: SlurmRoundsOptions) {
    this.#place = place;
    this.#cluster = cluster;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { rounds, report, random, isQuick = false } = this.#options;
    // Every kind comes, in an order by chance.
    let victims: SlurmVictim[] = [];
    try {
      for (let round = 1; round <= rounds; round++) {
        const began = performance.now();
        if (victims.length === 0) victims = shuffled(VICTIMS, random);
        const chosen = [victims.pop() ?? "gateway", ...(!isQuick && random.chance(0.3) ? [random.pick(VICTIMS)] : [])];
        try {
          await this.#round(round, chosen);
        } catch (error) {
          throw new Error(`Round ${round} (${chosen.join(", ")}) failed\n${this.#lastWords()}`, { cause: error });
        }
        const seconds = ((performance.now() - began) / 1_000).toFixed();
        report?.(`slurm: round ${round} of ${rounds} (${chosen.join(", ")}) in ${seconds} s`);
      }
      for (const job of this.#long) await job.stop();
      for (const job of this.#long) await this.#ended(job);
    } finally {
      for (const job of this.#long) await job.abandon();
    }
    await eventually(() => nodeHosts(this.#cluster).length === 0, "the end of all hosts on nodes");
    const spool = [...Deno.readDirSync(`${this.#cluster.directory}/spool`)].map(({ name }) => name);
    // A host that was killed together with its script leaves its directory.
    assert.ok(spool.length <= this.figures.lost, `the spool has ${spool}`);
    await checkEnd(this.#place);
  }

  async #round(round: number, victims: readonly SlurmVictim[]): Promise<void> {
    const { random, isQuick } = this.#options;
    await this.#replaceLong(round);
    const short = SHORT.map(async (kind: SlurmKind, at) => {
      await pause(random.below(1_500));
      return await SlurmJob.start(this.#place, `round${round}-${at}-${kind}`, kind, 1 + random.below(100));
    });
    if (isQuick && victims.some((victim) => victim.startsWith("slurm"))) {
      for (const job of await Promise.all(short)) await job.counts();
    } else await pause(random.below(4_000));
    for (const victim of victims) {
      await this.#kill(victim);
      await pause(random.below(100));
    }
    await pause(random.below(2_000));
    await this.#restart();
    for (const job of await Promise.all(short)) await this.#ended(job);
    for (const job of this.#long) if (await job.check()) await job.counts();
  }

  /** Checks the end of a job, and counts it. */
  async #ended(job: SlurmJob): Promise<void> {
    this.figures[await job.checkEnd(this.#mayEnd)]++;
    await job.abandon();
  }

  /** Checks long jobs that are over, and starts others in their place. */
  async #replaceLong(round: number): Promise<void> {
    const next: SlurmJob[] = [];
    for (const [at, kind] of LONG.entries()) {
      const job = this.#long[at];
      if (job !== undefined && await job.check()) next.push(job);
      else {
        if (job !== undefined) await this.#ended(job);
        next.push(await SlurmJob.start(this.#place, `long${round}-${at}-${kind}`, kind, 0));
      }
    }
    this.#long = next;
    await Promise.all(next.map((job) => job.counts()));
  }

  async #kill(victim: SlurmVictim): Promise<void> {
    const { random } = this.#options;
    const cluster = this.#cluster;
    this.figures[victim]++;
    if (victim !== "gateway") this.#mayEnd = true;
    if (victim === "host") return killOne(random, nodeHosts(cluster));
    if (victim === "slurmstepd") return killOne(random, stepDaemons(cluster));
    if (victim === "slurmd") {
      const node = random.pick(["n1", "n2"] as const);
      this.#away.add(node);
      return await cluster.kill(node, "SIGKILL");
    }
    if (!this.#away.has("gateway")) await this.#place.kill();
    this.#away.add("gateway");
  }

  async #restart(): Promise<void> {
    for (const name of this.#away) {
      if (name === "gateway") await this.#place.start();
      else await this.#cluster.start(name);
    }
    this.#away.clear();
  }

  #lastWords(): string {
    return this.#place.logs.split("\n").slice(-30).join("\n");
  }
}

/** Runs all rounds. */
export async function runSlurmRounds(options: SlurmRoundsOptions): Promise<SlurmFigures> {
  await using cluster = await slurmCluster();
  await Deno.mkdir(`${cluster.directory}/spool`);
  await using place = await Place.make({
    args: [
      "--engine=slurm",
      `--slurm-conf=${cluster.conf}`,
      "--node-listen=127.0.0.1:0",
      `--node-spool=${cluster.directory}/spool`,
    ],
  });
  const run = new SlurmRun(place, cluster, options);
  await run.run();
  return run.figures;
}

function killOne(random: Random, pids: readonly number[]): void {
  if (pids.length === 0) return;
  try {
    Deno.kill(random.pick(pids), "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // It has ended meanwhile.
  }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.below(rest.length), 1)[0]!);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
