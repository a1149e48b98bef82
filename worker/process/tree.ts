/** All processes of one job as one: asked to end, killed, paused, measured, and accounted for in its record. */
import type { Cgroup } from "../cgroup/cgroup.ts";
import { SignalDeniedError } from "../errors.ts";
import { gainsNoPrivileges } from "../launch/host.ts";
import { pauseAll, resumeAll } from "./pause.ts";
import type { Membership } from "./members.ts";
import { readEntry, scanProcesses } from "../linux/procfs.ts";
import type { ExitReport } from "./state.ts";
import { type LinuxSignal, probe, sendSignal } from "../linux/signals.ts";
import { endSurvivors, killAll, type Leftovers, sendTerm } from "./termination.ts";
import { Meter, type Usage } from "./usage.ts";
import { endedChildTicks } from "./child_rusage.ts";
import { defined } from "../../base/defined.ts";

/** The processes of a job, from the start of the leader on. */
export class ProcessTree {
  /** By whom they are known. */
  readonly membership: Membership;
  readonly #cgroup: Cgroup | undefined;
  readonly #meter: Meter;
  /** Names of those that were ended beside the leader. */
  readonly #ended = new Set<string>();
  /** How many could not be ended. */
  #survivorsLeft = 0;
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
    const leader = readEntry(this.membership.leader);
    if (leader !== undefined) this.#meter.note([leader]);
    const askedAt = new Date();
    if (sendTerm(this.membership.leader) !== "DENIED") this.#termSentAt ??= askedAt;
    // What stands still would not hear it. What cannot go on is found out by the kill.
    if (this.#isPaused) this.resume().catch(() => {});
  }

  /**
   * Kills all of it, for it had its time to end.
   *
   * @returns the pids of those that may not be signalled
   */
  async killAll(): Promise<readonly number[]> {
    const killedAt = new Date();
    const { found, denied } = await killAll(this.#all);
    if (found.length === 0 || denied.length < found.length) this.#killSentAt ??= killedAt;
    this.#count(found);
    return denied;
  }

  /**
   * Sends a signal to the leader's group.
   *
   * @throws {SignalDeniedError} where not all of the group may be signalled
   */
  async signal(signal: LinuxSignal): Promise<void> {
    const { leader } = this.membership;
    const isPartial = await sendSignal(-leader, signal) !== "DENIED";
    // Looking takes milliseconds. Where no process can become another user's it finds nothing.
    if (isPartial && (Deno.uid() === 0 || gainsNoPrivileges())) return;
    const denied = await this.#deniedInGroup();
    if (isPartial && denied.length === 0) return;
    throw new SignalDeniedError(`send ${signal.name} to`, denied.length === 0 ? [leader] : denied, isPartial);
  }

  /** The pids of the leader's group that may not be signalled, because they run as another user. */
  async #deniedInGroup(): Promise<readonly number[]> {
    const { leader } = this.membership;
    const group = (await scanProcesses() ?? []).filter(({ pgrp, zombie }) => pgrp === leader && !zombie);
    return group.map(({ pid }) => pid).filter((pid) => probe(pid) === "DENIED");
  }

  /** To be called at once when the leader is seen to have ended. */
  leaderEnded(): void {
    this.#childTicks = endedChildTicks();
    this.#isPaused = false;
  }

  /** Ends what the leader has left behind. */
  async endLeftovers(graceMs: number): Promise<Leftovers> {
    const leftovers = await endSurvivors(this.#all, graceMs);
    this.#count(leftovers.found);
    for (const name of leftovers.left) this.#ended.delete(name);
    this.#survivorsLeft = leftovers.left.length;
    return leftovers;
  }

  #count(names: readonly string[]): void {
    const { leader } = this.membership;
    for (const name of names) if (!name.startsWith(`${leader}:`)) this.#ended.add(name);
  }

  /**
   * Lets all of it stand still. Resolves when it does, after a second at the latest.
   *
   * @throws {SignalDeniedError} where not all of it may be signalled; then all of it goes on
   */
  async pause(): Promise<void> {
    this.#isPaused = true;
    const denied = await pauseAll(this.#all, () => this.#isPaused);
    if (denied.length === 0) return;
    this.#isPaused = false;
    throw new SignalDeniedError("pause", denied);
  }

  /**
   * Lets all of it go on.
   *
   * @throws {SignalDeniedError} where what stands still may not be signalled
   */
  async resume(): Promise<void> {
    this.#isPaused = false;
    const denied = await resumeAll(this.#all);
    if (denied.length > 0) throw new SignalDeniedError("resume", denied);
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
  async close(): Promise<ExitReport> {
    const usage = this.#meter.final(await this.#childTicks);
    this.#cgroup?.remove();
    return {
      usage,
      survivorsEnded: this.#ended.size,
      ...(this.#survivorsLeft === 0 ? {} : { survivorsLeft: this.#survivorsLeft }),
      ...defined({ termSentAt: this.#termSentAt, killSentAt: this.#killSentAt }),
    };
  }
}
