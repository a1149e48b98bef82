/** One OS process group: its start, its output, its signals and its end. It knows nothing of jobs. */
import { defined } from "../../base/defined.ts";
import { JobNotRunningError, SignalDeniedError } from "../errors.ts";
import { checkCommand, checkJobOptions, DEFAULT_GRACE_MS } from "../launch/command.ts";
import { parseSignal } from "../linux/signals.ts";
import { type EndCause, FirstCause } from "./end_cause.ts";
import type { ProcessOptions, StopOptions } from "./options.ts";
import { ProcessRun } from "./run.ts";
import { spawn, type Spawned } from "./spawn.ts";
import { isFinalState, isInitialState, isRunningState, transition } from "./state.ts";
import type { ProcessEvent, ProcessStatus } from "./state.ts";
import { ProcessInput } from "./stdin.ts";
import type { TerminalSize } from "../terminal/size.ts";
import type { Usage } from "./usage.ts";

/**
 * One OS process group: a leader in its own session, and every process that it starts.
 *
 * @example
 * ```ts
 * import { Process } from "./process.ts";
 *
 * const process = new Process("sh", ["-c", "exit 7"]);
 * const status = await process.start();
 * console.assert(status.state === "EXITED" && status.exitCode === 7);
 * ```
 */
export class Process {
  /** The standard input. Undefined unless the options ask for one. */
  readonly input: ProcessInput | undefined;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #options: ProcessOptions & { readonly id: string };
  readonly #final = Promise.withResolvers<ProcessStatus>();
  #status: ProcessStatus = { state: "INITIAL" };
  #run: ProcessRun | undefined;
  readonly #firstCause = new FirstCause();
  readonly #listeners = new Set<(status: ProcessStatus) => void>();

  /**
   * @param command a path, or a name to look up in the process's PATH; never passed through a shell
   * @throws {InvalidArgumentError} when Linux cannot run such a command
   */
  constructor(command: string, args: readonly string[] = [], options: ProcessOptions = {}) {
    checkCommand(command, args, options);
    this.#command = command;
    this.#args = [...args];
    this.#options = { ...options, id: options.id ?? crypto.randomUUID() };
    this.input = options.input || options.terminal !== undefined ? new ProcessInput() : undefined;
  }

  /** The status now. */
  get status(): ProcessStatus {
    return this.#status;
  }

  /** The cause of its end. Undefined while no cause is known. */
  get endCause(): EndCause | undefined {
    return this.#firstCause.cause;
  }

  /** The start time of the leader, in clock ticks since boot. Undefined before the start, and without /proc. */
  get startTime(): number | undefined {
    const startTime = this.#run?.tree.membership.startTime;
    return Number.isFinite(startTime) ? startTime : undefined;
  }

  /** The tag of its processes, see tags.ts. Undefined before the start, and if it has none. */
  get tag(): string | undefined {
    return this.#run?.tree.membership.tag;
  }

  /** Calls a listener after each change of the status, until the returned function is called. */
  subscribe(listener: (status: ProcessStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** True before the first start. */
  get isInitialState(): boolean {
    return isInitialState(this.#status.state);
  }

  /** True from the start to the end, also during a stop. */
  get isRunningState(): boolean {
    return isRunningState(this.#status.state);
  }

  /** True once the status can no longer change. */
  get isFinalState(): boolean {
    return isFinalState(this.#status.state);
  }

  /**
   * Starts the process. Resolves with the final status once it has ended, no process of it is left and its sink has all
   * output. A failed start is a final status too. A second start returns the same promise.
   *
   * @throws {HostExhaustedError} when the host lacks resources for it now; it stays in its initial state
   */
  start(): Promise<ProcessStatus> {
    if (!this.isInitialState) return this.#final.promise;
    const at = new Date();
    let spawned: ReturnType<typeof spawn>;
    try {
      spawned = spawn(this.#command, this.#args, this.#options, () => this.#setRunning());
    } catch (error) {
      return Promise.reject(error);
    }
    this.#apply({ type: "start", at });
    if ("error" in spawned) this.#finish({ type: "spawnFailed", ...spawned, at: new Date() });
    else this.#follow(spawned);
    return this.#final.promise;
  }

  /** Follows a spawned child to its end. */
  #follow(spawned: Spawned): void {
    void this.#options.output?.refused?.then((error) => {
      this.#firstCause.setOutputFailure(error);
      this.#stopUnasked();
    });
    const run = this.#run = new ProcessRun(spawned, {
      ...this.#options,
      firstCause: this.#firstCause,
      onTimeout: () => this.#stopUnasked({ reason: "TIMED_OUT" }),
      ...defined({ stdin: this.input }),
    });
    if (spawned.launch?.stderr.stage !== "launching") this.#setRunning();
    run.end().then((event) => {
      if (event.type === "ended") this.#setRunning(); // The program ran, even if the launcher did not report it.
      this.#finish(event);
    }).catch(({ message }: Error) => {
      this.#finish({ type: "lost", error: `The end of the process was not seen: ${message}` });
    });
  }

  /** Sets the state to RUNNING: the program runs, or the launcher is about to become it. */
  #setRunning(): void {
    if (this.#status.state !== "STARTING" || this.#run === undefined) return;
    this.#apply({ type: "spawned", pid: this.#run.tree.membership.leader });
    this.#run.programRuns();
  }

  /**
   * Stops the process: sends SIGTERM to its group, and SIGKILL to every process that is left after the grace period.
   * Resolves with the status then. A second stop may shorten the grace period of the first. If the process is not
   * running, this has no effect. A leader on a terminal that ignores SIGTERM, as an interactive shell, also gets SIGHUP.
   *
   * @throws {InvalidArgumentError} when the grace period is out of range
   * @throws {SignalDeniedError} when the leader runs as another user and cannot be killed. A later stop tries again
   */
  async stop(options: StopOptions = {}): Promise<ProcessStatus> {
    if (options.graceMs !== undefined) checkJobOptions({ graceMs: options.graceMs });
    if (!this.isRunningState || this.#run === undefined) return this.#status;
    const { killTimer, leaderLives } = this.#run;
    this.#firstCause.set({ reason: options.reason ?? "STOPPED", ...defined({ by: options.by }) });
    this.#setRunning(); // A launcher is stopped like the program that it becomes.
    if (this.#status.state === "RUNNING") {
      this.#apply({ type: "stop" });
      if (leaderLives) this.#run.sendTerm();
    }
    killTimer.start(options.graceMs ?? this.#options.graceMs ?? DEFAULT_GRACE_MS);
    return await Promise.race([this.#final.promise, killTimer.denied]);
  }

  /** Stops the process for a reason of its own. The kill timer reports what cannot be killed. */
  #stopUnasked(options: StopOptions = {}): void {
    this.stop(options).catch(() => {});
  }

  /**
   * Sends a signal to the process group.
   *
   * @param signal a name with or without SIG, or a number from 1 to 64
   * @param by the user who sends it
   * @throws {InvalidSignalError} when Linux has no such signal
   * @throws {JobNotRunningError} when the process is not running
   * @throws {SignalDeniedError} when a process of the group runs as another user and may not be signalled
   */
  async signal(signal: string, by?: string): Promise<void> {
    const parsed = parseSignal(signal);
    const { tree } = this.#running("be sent a signal");
    const forget = this.#firstCause.noteSignal(parsed.name, by);
    try {
      await tree.signal(parsed);
    } catch (error) {
      if (error instanceof SignalDeniedError && !error.isPartial) forget();
      throw error;
    }
    if (parsed.name === "SIGCONT") await tree.continued();
  }

  /** True between `pause` and `resume`. */
  get isPaused(): boolean {
    return this.#run?.tree.isPaused ?? false;
  }

  /**
   * Pauses all processes: freezes the cgroup, or sends SIGSTOP to each. Resolves when they are paused. The time limit
   * continues to run.
   *
   * @throws {JobNotRunningError} when the process is not running or is being stopped
   * @throws {SignalDeniedError} when a process runs as another user and may not be signalled; then all continue
   */
  async pause(): Promise<void> {
    const { tree } = this.#running("be paused");
    if (this.#status.state === "STOPPING") throw this.#notRunning("be paused");
    await tree.pause();
  }

  /**
   * Resumes all processes.
   *
   * @throws {JobNotRunningError} when the process is not running
   * @throws {SignalDeniedError} when a paused process runs as another user and may not be signalled
   */
  async resume(): Promise<void> {
    await this.#running("be resumed").tree.resume();
  }

  /** Changes the size of its terminal, if it has one. @throws {JobNotRunningError} when it is not running */
  resize(size: TerminalSize): void {
    this.#running("be resized").resize(size);
  }

  /** Returns what the process has used and uses now. Undefined if it is not running. */
  async usage(): Promise<Usage | undefined> {
    return this.#run?.leaderLives ? await this.#run.tree.usage() : undefined;
  }

  #running(action: string): ProcessRun {
    if (!this.isRunningState || this.#run?.leaderLives !== true) throw this.#notRunning(action);
    return this.#run;
  }

  #notRunning(action: string): JobNotRunningError {
    const state = this.isRunningState && this.#run?.leaderLives === false ? undefined : this.#status.state;
    return new JobNotRunningError(`Process ${JSON.stringify(this.#command)}`, state, action);
  }

  #apply(event: ProcessEvent): void {
    this.#status = transition(this.#status, event);
    for (const listener of this.#listeners) listener(this.#status);
  }

  #finish(event: ProcessEvent): void {
    this.input?.end();
    this.#apply(event);
    this.#final.resolve(this.#status);
  }
}
