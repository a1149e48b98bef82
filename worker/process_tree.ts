/** All processes of one job as one: asked to end, killed, paused, measured, and accounted for in its record. */
import type { Cgroup } from "./cgroup.ts";
import { pauseAll, resumeAll } from "./pause.ts";
import type { Membership } from "./process_members.ts";
import { readEntry } from "./process_table.ts";
import type { EndRecord } from "./state.ts";
import { askToEnd, endLeftovers, killAll } from "./termination.ts";
import { Meter, type Usage } from "./usage.ts";
import { endedChildTicks } from "./usage_children.ts";

/** The processes of a job, from the start of the leader on. */
export class ProcessTree {
  /** By whom they are known. */
  readonly membership: Membership;
  readonly #cgroup: Cgroup | undefined;
  readonly #meter: Meter;
  /** Names of those that were ended beside the leader. */
  readonly #ended = new Set<string>();
  #termSentAt: Date | undefined;
  #killSentAt: Date | undefined;
  #childTicks: ReturnType<typeof endedChildTicks> | undefined;
  #isPaused = false;

  /** @param cgroup which the leader joins before it becomes the job's program */
  constructor(membership: Membership, cgroup?: Cgroup) {
    this.membership = membership;
    this.#cgroup = cgroup;
    this.#meter = new Meter(membership, cgroup);
  }

  get #all() {
    return { ...this.membership, cgroup: this.#cgroup };
  }

  /** Whether all of it was told to stand still. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** How many were killed by the kernel for lack of memory; undefined where nobody counts them. */
  get oomKills(): number | undefined {
    return this.#cgroup?.oomKills;
  }

  /** Asks the leader and its group to end. Not when the leader is seen to have ended. */
  askToEnd(): void {
    this.#termSentAt ??= new Date();
    const leader = readEntry(this.membership.leader);
    if (leader !== undefined) this.#meter.note([leader]);
    askToEnd(this.membership.leader);
    // What stands still would not hear it.
    if (this.#isPaused) void this.resume();
  }

  /** Kills all of it, for it had its time to end. */
  async killAll(): Promise<void> {
    this.#killSentAt ??= new Date();
    this.#count(await killAll(this.#all));
  }

  /** To be called at once when the leader is seen to have ended. */
  leaderEnded(): void {
    this.#childTicks = endedChildTicks();
    this.#isPaused = false;
  }

  /** Ends what the leader has left behind. */
  async endLeftovers(graceMs: number): Promise<void> {
    this.#count((await endLeftovers(this.#all, graceMs)).found);
  }

  #count(names: readonly string[]): void {
    const { leader } = this.membership;
    for (const name of names) if (!name.startsWith(`${leader}:`)) this.#ended.add(name);
  }

  /** Lets all of it stand still. Resolves when it does, after a second at the latest. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await pauseAll(this.#all, () => this.#isPaused);
  }

  /** Lets all of it go on. */
  async resume(): Promise<void> {
    this.#isPaused = false;
    await resumeAll(this.#all);
  }

  /** Its group was sent SIGCONT: where it was paused by SIGSTOP, it goes on, and so shall the rest of it. */
  async continued(): Promise<void> {
    if (this.#isPaused && this.#cgroup === undefined) await this.resume();
  }

  /** What it has used so far, and uses now. */
  async usage(): Promise<Usage> {
    return await this.#meter.now();
  }

  /** Gives its cgroup back, and says what there is to say of the end. When nothing of it is left. */
  async close(): Promise<EndRecord> {
    const usage = this.#meter.final(await this.#childTicks);
    this.#cgroup?.remove();
    return {
      usage,
      othersEnded: this.#ended.size,
      ...(this.#termSentAt === undefined ? {} : { termSentAt: this.#termSentAt }),
      ...(this.#killSentAt === undefined ? {} : { killSentAt: this.#killSentAt }),
    };
  }
}
