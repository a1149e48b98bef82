/** The rounds of the kill tests: a load, a kill, and the checks of what is true afterwards. */
import assert from "node:assert/strict";
import { eventually } from "../support/deadline.ts";
import { checkEnd, checkProcesses, checkPrograms } from "./checks.ts";
import { GatedJobs } from "./gated_jobs.ts";
import { Ledger } from "./ledger.ts";
import { Load } from "./load.ts";
import { LongJobs } from "./long_jobs.ts";
import { Place } from "./place.ts";
import type { Figures, RunOptions } from "./victims.ts";
import { Watchers } from "./watchers.ts";

/** The clients of a round that start short jobs. */
const CLIENTS = 4;

/** The rounds of a server that is killed at its start, after each of which everything is checked. */
const STARTS_PER_CHECK = 50;

/** The rounds from one with command lines that watch to the next, where jobs are lost. */
const WATCHED = 5;

/** How long a server may take to report that a job host died, in milliseconds. */
const LOST_MS = 120_000;

/** One run of rounds at a place of its own. */
class Run {
  readonly #options: RunOptions;
  readonly #place: Place;
  readonly #ledger: Ledger;
  #long!: LongJobs;
  /** Absent in rounds without command lines, because starting them takes longer than the rest. */
  #watchers: Watchers | undefined;
  #figures = { outages: 0, lines: 0, lost: 0 };

  constructor(options: RunOptions, place: Place) {
    this.#options = options;
    this.#place = place;
    this.#ledger = new Ledger(place);
  }

  /** Whether the jobs survive a round. */
  get #survives(): boolean {
    const { victim, isAlone } = this.#options;
    return !isAlone && (victim === "server" || victim === "starting");
  }

  async run(): Promise<Figures> {
    const { rounds, victim, report } = this.#options;
    try {
      if (victim !== "idle") await this.#startLong(0);
      for (let round = 1; round <= rounds; round++) {
        try {
          if (victim === "starting") await this.#startingRound(round);
          else if (victim === "idle") await this.#idleRound(round);
          else await this.#round(round);
        } catch (error) {
          throw new Error(`Round ${round} of ${rounds} (${victim}) failed\n${this.#lastWords()}`, { cause: error });
        }
        if (round % 10 === 0) report?.(`${victim}: ${round} of ${rounds} rounds`);
      }
      if (victim !== "idle") await this.#finishLong();
    } finally {
      await this.#watchers?.[Symbol.asyncDispose]();
      await this.#long?.[Symbol.asyncDispose]();
    }
    await this.#ledger.check(false);
    await checkEnd(this.#place);
    const { ended, repeated } = this.#ledger;
    return { rounds, ended, repeated, ...this.#figures };
  }

  async #startLong(round: number): Promise<void> {
    this.#long = await LongJobs.start(this.#place, `long${round}`);
    this.#watchers = round % WATCHED === 0 ? await Watchers.start(this.#place, this.#long, `run${round}`) : undefined;
  }

  async #finishLong(): Promise<void> {
    await this.#long.finish();
    await this.#watchers?.finish();
    this.#count();
  }

  #count(): void {
    for (const { follower } of this.#long.jobs) {
      this.#figures.outages += follower.outages;
      this.#figures.lines += follower.lines?.last ?? 0;
    }
  }

  /** One round with load. */
  async #round(round: number): Promise<void> {
    const { random, victim } = this.#options;
    const place = this.#place;
    using gated = await GatedJobs.start(place, `gated${round}`, 1 + random.below(100));
    const load = new Load(place, this.#ledger, random, `round${round}`, CLIENTS);
    await pause(50 + random.below(600));
    // Some jobs end in the same moment as the kill.
    const isReleasedBefore = victim !== "server" && random.chance(0.5);
    if (isReleasedBefore) gated.release();
    if (isReleasedBefore) await pause(random.below(30));
    await this.#kill();
    const loadEnded = load.ended();
    if (!isReleasedBefore) gated.release();
    if (victim !== "host") {
      if (this.#survives) {
        await this.#long.checkProcesses();
        await gated.gone();
      }
      if (random.chance(0.3)) await place.killStarting(random.below(500));
      await place.start();
    }
    await loadEnded;
    await this.#check(round, gated);
  }

  async #kill(): Promise<void> {
    const { random, victim } = this.#options;
    const place = this.#place;
    if (victim === "server") return await place.kill();
    const { hosts } = place.programs();
    assert.ok(hosts.length > 0, "No job host was found");
    const killHosts = () => {
      for (const pid of hosts) {
        try {
          Deno.kill(pid, "SIGKILL");
        } catch (error) {
          // A host without jobs ends by itself once its server is gone.
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
    };
    if (victim === "host") return killHosts();
    const isHostFirst = random.chance(0.5);
    if (isHostFirst) {
      killHosts();
      await pause(random.below(20));
    }
    await place.kill();
    if (!isHostFirst) killHosts();
  }

  /** Checks everything after a round. */
  async #check(round: number, gated: GatedJobs): Promise<void> {
    const mayBeLost = !this.#survives;
    if (mayBeLost) await this.#lost();
    else await this.#long.check();
    const { lost } = await gated.check(mayBeLost);
    this.#figures.lost += lost;
    await this.#ledger.check(mayBeLost);
    if (mayBeLost) {
      await this.#startLong(round);
    } else {
      await this.#long.alternate();
      this.#watchers?.check();
      await this.#watchers?.continued();
    }
    await checkProcesses(this.#place);
    if (!this.#options.isAlone) await checkPrograms(this.#place, 1);
  }

  async #lost(): Promise<void> {
    await this.#long.lost(LOST_MS);
    await this.#watchers?.lost();
    await this.#watchers?.[Symbol.asyncDispose]();
    this.#count();
    this.#figures.lost += this.#long.jobs.length;
    if (!this.#options.isAlone) {
      await eventually(() => /job host/i.test(this.#place.logs), "a line about the job host in the log");
    }
  }

  /** Kills a server somewhere in its start. The first one is in full service. */
  async #startingRound(round: number): Promise<void> {
    const { random, rounds } = this.#options;
    const place = this.#place;
    if (round % STARTS_PER_CHECK === 1) await place.kill();
    await place.killStarting(random.below(600));
    if (round % 10 === 0) await this.#long.checkProcesses();
    if (round % STARTS_PER_CHECK !== 0 && round !== rounds) return;
    await place.start();
    await this.#long.check();
    await this.#long.alternate();
    this.#watchers?.check();
    await this.#watchers?.continued();
    await checkProcesses(place);
    await checkPrograms(place, 1);
  }

  /** One round in which the job host ends at about the moment in which the next server looks for it. */
  async #idleRound(round: number): Promise<void> {
    const { random } = this.#options;
    const place = this.#place;
    const load = new Load(place, this.#ledger, random, `round${round}`, CLIENTS);
    await pause(50 + random.below(200));
    if (random.chance(0.3)) await place.stop();
    else await place.kill();
    const loadEnded = load.ended();
    if (random.chance(0.3)) await place.killStarting(random.below(500));
    if (random.chance(0.3)) await pause(random.below(300));
    await place.start();
    await loadEnded;
    await this.#ledger.check(false);
    await checkProcesses(place);
    await checkPrograms(place, 1);
  }

  #lastWords(): string {
    return this.#place.logs.split("\n").slice(-30).join("\n");
  }
}

/** Runs all rounds with one kind of victim, at a place of its own. */
export async function runRounds(options: RunOptions): Promise<Figures> {
  await using place = await Place.make(options.isAlone ? { jobHost: "none" } : {});
  return await new Run(options, place).run();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
