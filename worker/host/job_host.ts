/** A job host: runs jobs and writes their output, for a supervisor that may come and go. */
import { join } from "node:path";
import { asError } from "../../base/as_error.ts";
import { OWNER_MODES } from "../../base/file_modes.ts";
import type { Isolation } from "../../base/job_options/table.ts";
import { HostUnavailableError, SupervisorClosedError } from "../errors.ts";
import { checkJobOptions } from "../launch/command.ts";
import { bootId } from "../linux/boot_id.ts";
import type { StopOptions } from "../process/options.ts";
import type { InputChunk, InputOptions, InputResult } from "../process/stdin.ts";
import type { TerminalSize } from "../terminal/size.ts";
import type { Usage } from "../process/usage.ts";
import { AttachedSupervisor } from "./attached_supervisor.ts";
import { journalPath } from "./end_line.ts";
import { checkHost } from "./host_check.ts";
import { IsolationProbe } from "./isolation_probe.ts";
import type {
  HostCheck,
  HostedJobState,
  HostEvents,
  HostInfo,
  HostLink,
  HostStart,
  HostWork,
  LiveState,
  LogState,
  OrphanedJob,
  RecoveredJob,
} from "./link.ts";
import { hostInfo, type JobHostOptions } from "./job_host_options.ts";
import { OwnedJobs } from "./owned_jobs.ts";
import { Recovery } from "./recovery.ts";

/** A job host in this process. Another process reaches it through a socket. */
export class JobHost implements HostLink {
  readonly info: HostInfo;
  readonly #options: JobHostOptions;
  readonly #jobs: OwnedJobs;
  readonly #isolation = new IsolationProbe();
  readonly #recovery: Recovery;
  readonly #supervisor: AttachedSupervisor;
  #isIdleNoted = false;
  #closed = Promise.withResolvers<Error | undefined>();
  #isRetired = false;
  #isEnding = false;

  constructor(options: JobHostOptions) {
    this.#options = options;
    this.info = hostInfo(options);
    const directory = join(options.hostsDirectory, options.instance);
    const { directory: mode } = options.modes ?? OWNER_MODES;
    for (const path of [options.outputDirectory, directory]) Deno.mkdirSync(path, { recursive: true, mode });
    const onError = this.#onError;
    this.#supervisor = new AttachedSupervisor((error) => options.onError?.(asError(error)));
    const place = { bootId: bootId(), host: options.instance };
    this.#jobs = new OwnedJobs({
      ...options,
      journalPath: journalPath(directory),
      place,
      events: {
        changed: (change) => {
          this.#supervisor.emit((events) => events.changed(change));
          options.onJobChange?.();
        },
        grew: (id, range) => this.#supervisor.emit((events) => events.grew(id, range)),
      },
      onLess: () => this.#noteIdle(),
      onError,
    });
    this.#recovery = new Recovery(this.#jobs, { ...options, bootId: place.bootId, onError });
  }

  /** Resolves after `close()`. A later `attach()` begins a new link. */
  get closed(): Promise<Error | undefined> {
    return this.#closed.promise;
  }

  /**
   * True when the host may end: no supervisor is attached and no job runs, or the host is retired and has no job. An end
   * that is not on the disk keeps the host.
   */
  get isIdle(): boolean {
    if (this.#jobs.isBusy) return false;
    return !this.#supervisor.isAttached || (this.#isRetired && this.#jobs.isEmpty);
  }

  work(): Promise<HostWork> {
    const { runningCount } = this.#jobs;
    return Promise.resolve({
      runningJobs: runningCount,
      isAttached: this.#supervisor.isAttached,
      isRetired: this.#isRetired,
    });
  }

  /** @throws {HostUnavailableError} when the host ends and no job runs */
  attach(events: HostEvents): Promise<readonly HostedJobState[]> {
    if (this.#isEnding && !this.#jobs.isBusy) return Promise.reject(new HostUnavailableError("it ends"));
    if (!this.#supervisor.isAttached) this.#closed = Promise.withResolvers();
    this.#supervisor.attach(events);
    this.#jobs.unwatchAll();
    this.#jobs.room.attach((bytes) => this.#supervisor.emit((events) => events.needsRoom(bytes)));
    return Promise.resolve(this.#jobs.states);
  }

  /** Detaches a supervisor, unless another one is attached by now. */
  detach(events: HostEvents): void {
    if (this.#supervisor.is(events)) this.#detach();
  }

  #detach(): void {
    this.#supervisor.detach();
    this.#jobs.unwatchAll();
    this.#jobs.room.attach(undefined);
    this.#noteIdle();
  }

  close(): Promise<void> {
    this.#detach();
    this.#closed.resolve(undefined);
    return Promise.resolve();
  }

  async check(check: HostCheck): Promise<void> {
    checkHost(check, this.#options.cgroups);
    if (check.options.isolation !== undefined) await this.#isolation.check(check.options.isolation);
  }

  isolations(): Promise<Readonly<Record<Isolation, string>>> {
    return this.#isolation.reasons();
  }

  /** @throws {SupervisorClosedError} when the host ends, and while `stopJobs` stops the jobs */
  start(start: HostStart): Promise<void> {
    return this.#isEnding ? Promise.reject(new SupervisorClosedError()) : this.#jobs.start(start);
  }

  async stop(id: string, options: StopOptions): Promise<void> {
    await this.#jobs.get(id)?.stop(options);
  }

  async signal(id: string, signal: string, by?: string): Promise<void> {
    await this.#jobs.need(id, "be sent a signal").job.signal(signal, by);
  }

  async pause(id: string, by?: string): Promise<void> {
    await this.#jobs.need(id, "be paused").job.pause(by);
  }

  async resume(id: string): Promise<void> {
    await this.#jobs.need(id, "be resumed").job.resume();
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    await this.#jobs.need(id, "be resized").job.resize(size);
  }

  async writeInput(id: string, chunks: AsyncIterable<InputChunk>, options: InputOptions): Promise<InputResult> {
    return await this.#jobs.need(id, "be given input").job.writeInput(chunks, options);
  }

  async usage(id: string): Promise<Usage | undefined> {
    return (await this.#jobs.get(id)?.job.measuredStatus())?.usage;
  }

  states(ids: readonly string[]): Promise<Readonly<Record<string, LiveState>>> {
    return Promise.resolve(this.#jobs.liveStates(ids));
  }

  watch(id: string): Promise<LogState | undefined> {
    const job = this.#jobs.get(id);
    if (job !== undefined) job.isWatched = job.isRunningState;
    return Promise.resolve(job?.live?.log);
  }

  unwatch(id: string): void {
    const job = this.#jobs.get(id);
    if (job !== undefined) job.isWatched = false;
  }

  forget(id: string): void {
    this.#jobs.forget(id);
  }

  setRoom(bytes: number | undefined): void {
    this.#jobs.room.set(bytes ?? Infinity);
  }

  recover(job: OrphanedJob): Promise<RecoveredJob> {
    return this.#recovery.recover(job);
  }

  discard(instance: string): Promise<void> {
    return this.#recovery.discard(instance);
  }

  deleteOutput(id: string): Promise<void> {
    return this.#jobs.deleteOutput(id);
  }

  async stopJobs(graceMs: number | undefined): Promise<void> {
    if (graceMs !== undefined) checkJobOptions({ graceMs });
    await this.#jobs.stopAll(graceMs);
  }

  retire(isRetired: boolean): void {
    this.#isRetired = isRetired;
    this.#options.onRetire?.(isRetired);
    this.#noteIdle();
  }

  async succeed(): Promise<string> {
    const { succeed } = this.#options;
    if (succeed === undefined) throw new HostUnavailableError("it cannot start another job host");
    return await succeed();
  }

  /** Refuses new jobs from now on, because the process of the host ends. Without a running job, refuses supervisors too. */
  refuseWork(): void {
    this.#isEnding = true;
  }

  /** True when a job runs, or when no supervisor has stored its end. */
  get hasJobs(): boolean {
    return !this.#jobs.isEmpty;
  }

  /** Closes the files of the host, before its process ends. Ends that could not be written get a last try. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.#jobs.close(this.#isEnding);
  }

  /** Reports that the host is idle, unless it gets work in the same turn: a new supervisor replaces one that leaves. */
  #noteIdle(): void {
    if (this.#isIdleNoted || !this.isIdle) return;
    this.#isIdleNoted = true;
    setImmediate(() => {
      this.#isIdleNoted = false;
      if (this.isIdle) this.#options.onIdle?.();
    });
  }

  readonly #onError = (error: unknown): void => {
    const reported = asError(error);
    if (this.#supervisor.isAttached) this.#supervisor.emit((events) => events.failed(reported));
    else this.#options.onError?.(reported);
  };
}
