/** All processes of one job: ends, kills, signals, pauses and measures them, and writes the job's exit report. */
import { defined } from "../../base/defined.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { SignalDeniedError } from "../errors.ts";
import { gainsNoPrivileges } from "../launch/host.ts";
import { readEntry, scanProcesses } from "../linux/procfs.ts";
import { type Delivery, type LinuxSignal, probe, sendSignal } from "../linux/signals.ts";
import { endedChildTicks } from "./child_rusage.ts";
import type { Membership } from "./members.ts";
import { pauseAll, resumeAll } from "./pause.ts";
import type { ExitReport } from "./state.ts";
import type { KillTarget } from "./survivor_finder.ts";
import { endSurvivors, killAll, sendTerm, type SurvivorsEnd } from "./termination.ts";
import { Meter, type Usage } from "./usage.ts";

/** The processes of a job, from the start of the leader. */
export class ProcessTree {
  /** The facts by which its processes are recognised. */
  readonly membership: Membership;
  readonly #cgroup: Cgroup | undefined;
  readonly #meter: Meter;
  /** The names of the processes other than the leader that were ended. */
  readonly #endedNames = new Set<string>();
  #survivorsLeft = 0;
  #termSentAt: Date | undefined;
  #killSentAt: Date | undefined;
  #childTicks: ReturnType<typeof endedChildTicks> | undefined;
  #isPaused = false;

  /** @param cgroup the cgroup that the leader joins before it becomes the job's program */
  constructor(membership: Membership, cgroup?: Cgroup) {
    this.membership = membership;
    this.#cgroup = cgroup;
    this.#meter = new Meter(membership, cgroup);
  }

  get #target(): KillTarget {
    return { ...this.membership, cgroup: this.#cgroup };
  }

  /** True between `pause` and `resume`. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** The number of processes that the kernel killed for lack of memory. Undefined without a memory controller. */
  get oomKills(): number | undefined {
    return this.#cgroup?.oomKills;
  }

  /** Sends SIGTERM to the leader's group. Not allowed after the leader's exit was seen. */
  sendTerm(): void {
    const leader = readEntry(this.membership.leader);
    if (leader !== undefined) this.#meter.note([leader]);
    const sentAt = new Date();
    if (sendTerm(this.membership.leader) !== "DENIED") this.#termSentAt ??= sentAt;
    // A paused process would not handle the signal. If it cannot be resumed, the kill finds that out.
    if (this.#isPaused) this.resume().catch(() => {});
  }

  /**
   * Kills all processes at the end of the grace period.
   *
   * @returns the pids of the processes that may not be signalled
   */
  async killAll(): Promise<readonly number[]> {
    const sentAt = new Date();
    const { found, denied } = await killAll(this.#target);
    if (found.length === 0 || denied.length < found.length) this.#killSentAt ??= sentAt;
    this.#countEnded(found);
    return denied;
  }

  /**
   * Sends a signal to the leader's group.
   *
   * @throws {SignalDeniedError} when a process of the group may not be signalled
   */
  async signal(signal: LinuxSignal): Promise<void> {
    const { leader } = this.membership;
    const isPartial = await this.#sendToGroup(signal) !== "DENIED";
    // The scan takes milliseconds. It finds nothing if no process can become another user's.
    if (isPartial && (Deno.uid() === 0 || gainsNoPrivileges())) return;
    const denied = await this.#deniedInGroup();
    if (isPartial && denied.length === 0) return;
    throw new SignalDeniedError(`send ${signal.name} to`, denied.length === 0 ? [leader] : denied, isPartial);
  }

  async #sendToGroup(signal: LinuxSignal): Promise<Delivery> {
    const { leader, startTime } = this.membership;
    const delivery = await sendSignal(-leader, signal);
    // Before setsid(1) has run, the leader is alone and has no group.
    if (delivery !== "GONE" || readEntry(leader)?.startTime !== startTime) return delivery;
    return await sendSignal(leader, signal);
  }

  /** Returns the pids of the leader's group that may not be signalled, because they run as another user. */
  async #deniedInGroup(): Promise<readonly number[]> {
    const { leader } = this.membership;
    const group = (await scanProcesses() ?? []).filter(({ pgrp, zombie }) => pgrp === leader && !zombie);
    return group.map(({ pid }) => pid).filter((pid) => probe(pid) === "DENIED");
  }

  /** Notes the leader's exit. Call it in the same turn of the event loop in which the exit is seen. */
  leaderEnded(): void {
    this.#childTicks = endedChildTicks();
    this.#isPaused = false;
  }

  /**
   * Ends the processes that are left after the leader's exit.
   *
   * @param graceMs the time between SIGTERM and SIGKILL
   */
  async endSurvivors(graceMs: number): Promise<SurvivorsEnd> {
    const end = await endSurvivors(this.#target, graceMs);
    this.#countEnded(end.found);
    for (const name of end.left) this.#endedNames.delete(name);
    this.#survivorsLeft = end.left.length;
    return end;
  }

  #countEnded(names: readonly string[]): void {
    const { leader } = this.membership;
    for (const name of names) if (!name.startsWith(`${leader}:`)) this.#endedNames.add(name);
  }

  /**
   * Pauses all processes. Resolves when they are paused, after one second at the latest.
   *
   * @throws {SignalDeniedError} when a process may not be signalled; then all continue
   */
  async pause(): Promise<void> {
    this.#isPaused = true;
    const denied = await pauseAll(this.#target, () => this.#isPaused);
    if (denied.length === 0) return;
    this.#isPaused = false;
    throw new SignalDeniedError("pause", denied);
  }

  /**
   * Resumes all processes.
   *
   * @throws {SignalDeniedError} when a paused process may not be signalled
   */
  async resume(): Promise<void> {
    this.#isPaused = false;
    const denied = await resumeAll(this.#target);
    if (denied.length > 0) throw new SignalDeniedError("resume", denied);
  }

  /** Handles a SIGCONT that was sent to the group: if SIGSTOP paused the job, the rest of it continues too. */
  async continued(): Promise<void> {
    if (this.#isPaused && this.#cgroup === undefined) await this.resume();
  }

  /** Returns what the processes have used so far, and use now. */
  async usage(): Promise<Usage> {
    return await this.#meter.now();
  }

  /** Removes the cgroup and returns the exit report. Call it when no process is left. */
  async close(): Promise<ExitReport> {
    const usage = this.#meter.final(await this.#childTicks);
    this.#cgroup?.remove();
    return {
      usage,
      survivorsEnded: this.#endedNames.size,
      ...(this.#survivorsLeft === 0 ? {} : { survivorsLeft: this.#survivorsLeft }),
      ...defined({ termSentAt: this.#termSentAt, killSentAt: this.#killSentAt }),
    };
  }
}
