/** One OS process group: its start, its output handed on, its signals, its end. It knows nothing of jobs. */
import { errorCode } from "../../base/error_code.ts";
import { checkCommand, checkJobOptions, DEFAULT_GRACE_MS } from "../launch/command.ts";
import type { StartFailure } from "../launch/failure.ts";
import type { Launch } from "../launch/launcher.ts";
import { JobNotRunningError, LimitReachedError, SignalDeniedError, SurvivorsError } from "../errors.ts";
import { ProcessInput } from "./stdin.ts";
import { drain, type OutputSink, pump } from "./pump.ts";
import { spawn, type SpawnOptions } from "./spawn.ts";
import { readEntry } from "../linux/procfs.ts";
import { Kill } from "./kill.ts";
import { ProcessTree } from "./tree.ts";
import { type LinuxSignal, parseSignal } from "../linux/signals.ts";
import {
  isFinalState,
  isInitialState,
  isRunningState,
  type ProcessEvent,
  type ProcessStatus,
  type Reason,
  transition,
} from "./state.ts";
import { LEFTOVER_GRACE_MS } from "./termination.ts";
import type { Usage } from "./usage.ts";
import { defined } from "../../base/defined.ts";
import { signalName } from "../../base/signals.ts";

/** Options of a process. */
export interface ProcessOptions extends SpawnOptions {
  /** Known to the process as the variable TELEPORT_ID, by which what it leaves behind is found; random unless given. */
  readonly id?: string;
  /** Takes what the process writes; discarded where absent. */
  readonly output?: OutputSink;
  /** Receives a `SurvivorsError` when processes of it could not be ended. */
  readonly onError?: (error: Error) => void;
}

/** How to stop a process. */
export interface StopOptions {
  /** Between SIGTERM and SIGKILL, in milliseconds; the process's own unless given. */
  readonly graceMs?: number;
  /** Why; `STOPPED` unless given. */
  readonly reason?: Reason;
  /** The user who asked, for the record. */
  readonly by?: string;
}

/** Why a process ends, and who asked. */
export interface EndCause {
  readonly reason: Reason;
  readonly by?: string;
  /** What went wrong on the server's side, where that is why. */
  readonly error?: string;
}

/**
 * One OS process group: a leader in a session of its own, and what it starts.
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
  /** Its standard input, where it was asked for. */
  readonly input: ProcessInput | undefined;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #options: ProcessOptions;
  readonly #id: string;
  readonly #final = Promise.withResolvers<ProcessStatus>();
  #status: ProcessStatus = { state: "INITIAL" };
  #tree: ProcessTree | undefined;
  /** Why it ends: the first cause wins. */
  #cause: EndCause | undefined;
  /** True until the leader is seen to have ended: till then its pid is its own. */
  #leaderLives = false;
  /** Aborts when nothing of the process is left. */
  readonly #ended = new AbortController();
  #kill: Kill | undefined;
  #timeoutTimer: Timer | undefined;
  readonly #listeners = new Set<(status: ProcessStatus) => void>();
  #lastSignal: { readonly name: string; readonly by?: string } | undefined;

  /**
   * @param command a path, or a name looked up in the process's PATH; never passed through a shell
   * @throws {InvalidArgumentError} when Linux cannot run such a command
   */
  constructor(command: string, args: readonly string[] = [], options: ProcessOptions = {}) {
    checkCommand(command, args, options);
    this.#command = command;
    this.#args = [...args];
    this.#options = options;
    this.#id = options.id ?? crypto.randomUUID();
    this.input = options.input ? new ProcessInput() : undefined;
  }

  /** What is known of the process now. */
  get status(): ProcessStatus {
    return this.#status;
  }

  /** Why it ends or has ended; undefined while nothing is known to end it. */
  get endCause(): EndCause | undefined {
    return this.#cause;
  }

  /** When its leader started, in clock ticks since boot; undefined before, and where it cannot be known. */
  get startTime(): number | undefined {
    const startTime = this.#tree?.membership.startTime;
    return Number.isFinite(startTime) ? startTime : undefined;
  }

  /** The tag that it was given; undefined before the start, and where it was given none. */
  get tag(): string | undefined {
    return this.#tree?.membership.tag;
  }

  /** Calls the listener after each change of status, until the returned function is called. */
  subscribe(listener: (status: ProcessStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** True before the first start. */
  get isInitialState(): boolean {
    return isInitialState(this.#status.state);
  }

  /** True from the start to the end, a stop under way included. */
  get isRunningState(): boolean {
    return isRunningState(this.#status.state);
  }

  /** True once nothing will change any more. */
  get isFinalState(): boolean {
    return isFinalState(this.#status.state);
  }

  /**
   * Starts the process and resolves with its final status once it has ended, nothing of it is left and the last byte of
   * its output was handed on. A start that fails is a final status too. A second start joins the first.
   *
   * @throws {HostExhaustedError} when the host has no room for it now; it stays in its initial state
   */
  start(): Promise<ProcessStatus> {
    if (!this.isInitialState) return this.#final.promise;
    const at = new Date();
    let started: ReturnType<typeof spawn>;
    try {
      started = spawn(this.#command, this.#args, { ...this.#options, id: this.#id }, () => this.#nowRuns());
    } catch (error) {
      return Promise.reject(error);
    }
    this.#apply({ type: "start", at });
    if ("error" in started) {
      this.#finish({ type: "spawnFailed", ...started, at: new Date() });
      return this.#final.promise;
    }
    const { child, launch, cgroup, tag } = started;
    this.input?.open(child.stdin);
    void this.#options.output?.refused?.then((error) => this.#stopForOutput(error));
    this.#leaderLives = true;
    const startTime = readEntry(child.pid)?.startTime ?? Infinity;
    const tree = new ProcessTree(
      { leader: child.pid, startTime, mark: this.#id, ...defined({ tag }) },
      cgroup,
    );
    this.#tree = tree;
    this.#kill = new Kill(tree, (pids) => this.#options.onError?.(new SurvivorsError(this.#id, pids, true)));
    if (launch === undefined) this.#nowRuns();
    if (this.#options.timeoutMs) {
      this.#timeoutTimer = setTimeout(() => this.#stopUnasked({ reason: "TIMED_OUT" }), this.#options.timeoutMs);
    }
    this.#supervise(child, tree, launch).catch((error) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#finish({ type: "lost", error: `The end of the process was not seen: ${why}` });
    });
    return this.#final.promise;
  }

  /** The program itself is there, or the launcher is about to become it. */
  #nowRuns(): void {
    if (this.#status.state !== "STARTING" || this.#tree === undefined) return;
    this.#apply({ type: "spawned", pid: this.#tree.membership.leader });
  }

  /**
   * Stops the process: SIGTERM to its whole group, after the grace period SIGKILL to everything of it that is left.
   * Resolves with the final status. A second stop joins the first, and may shorten its grace period. Where it is not
   * running this does nothing and resolves with the status it has.
   *
   * @throws {InvalidArgumentError} when the grace period is out of range
   * @throws {SignalDeniedError} when it runs as another user after the grace period, whom the server may not signal. It
   * stays in state `STOPPING`, and a later stop tries again
   */
  async stop(options: StopOptions = {}): Promise<ProcessStatus> {
    if (options.graceMs !== undefined) checkJobOptions({ graceMs: options.graceMs });
    if (!this.isRunningState || this.#tree === undefined || this.#kill === undefined) return this.#status;
    this.#cause ??= {
      reason: options.reason ?? "STOPPED",
      ...defined({ by: options.by }),
    };
    const graceMs = options.graceMs ?? this.#options.graceMs ?? DEFAULT_GRACE_MS;
    this.#nowRuns(); // The launcher is stopped like the program that it becomes.
    if (this.#status.state === "RUNNING") {
      this.#apply({ type: "stop" });
      if (this.#leaderLives) this.#tree.askToEnd();
    }
    this.#kill.after(graceMs);
    return await Promise.race([this.#final.promise, this.#kill.denied]);
  }

  /** Stops the process because its output is not taken any more. */
  #stopForOutput(error: unknown): void {
    if (error instanceof LimitReachedError) this.#cause ??= { reason: "OUTPUT_LIMIT", error: error.message };
    else {
      const code = errorCode(error);
      const why = code === undefined ? "" : ` (${code})`;
      const sentence = `The server could not record the output${why} and stopped the job`;
      this.#cause ??= { reason: "OUTPUT_FAILED", error: sentence };
    }
    this.#stopUnasked();
  }

  /** Stops the process for a reason of its own. What cannot be killed was reported. */
  #stopUnasked(options: StopOptions = {}): void {
    this.stop(options).catch(() => {});
  }

  /**
   * Sends a signal to the process group.
   *
   * @param signal a name with or without SIG, or a number from 1 to 64
   * @param by the user who asked, for the record
   * @throws {InvalidSignalError} when Linux has no such signal
   * @throws {JobNotRunningError} when the process is not running
   * @throws {SignalDeniedError} when not all of the group may be signalled, because it runs as another user
   */
  async signal(signal: string, by?: string): Promise<void> {
    const parsed: LinuxSignal = parseSignal(signal);
    const tree = this.#running("be sent a signal");
    const before = this.#lastSignal;
    this.#lastSignal = { name: parsed.name, ...defined({ by }) };
    try {
      await tree.signal(parsed);
    } catch (error) {
      if (error instanceof SignalDeniedError && !error.isPartial) this.#lastSignal = before;
      throw error;
    }
    if (parsed.name === "SIGCONT") await tree.continued();
  }

  /** Whether all of it was told to stand still, and not to go on since. */
  get isPaused(): boolean {
    return this.#tree?.isPaused ?? false;
  }

  /**
   * Lets all its processes stand still: its cgroup is frozen, or each gets SIGSTOP. Resolves when they do. What stands
   * still already stays so. Its time limit goes on.
   *
   * @throws {JobNotRunningError} when the process is not running, or is being stopped
   */
  async pause(): Promise<void> {
    const tree = this.#running("be paused");
    if (this.#status.state === "STOPPING") throw this.#notRunning("be paused");
    await tree.pause();
  }

  /**
   * Lets all its processes go on. What goes on already does so.
   *
   * @throws {JobNotRunningError} when the process is not running
   */
  async resume(): Promise<void> {
    await this.#running("be resumed").resume();
  }

  /** What it uses and has used, read now; undefined when it is not running. */
  async usage(): Promise<Usage | undefined> {
    return this.#leaderLives ? await this.#tree?.usage() : undefined;
  }

  #running(what: string): ProcessTree {
    if (!this.isRunningState || !this.#leaderLives || this.#tree === undefined) throw this.#notRunning(what);
    return this.#tree;
  }

  #notRunning(what: string): JobNotRunningError {
    const isEnding = this.isRunningState && this.#tree !== undefined && !this.#leaderLives;
    const state = isEnding ? undefined : this.#status.state;
    return new JobNotRunningError(`Process ${JSON.stringify(this.#command)}`, state, what);
  }

  /** Waits for the leader's end, ends what it left behind, drains the output, and says so. */
  async #supervise(child: Deno.ChildProcess, tree: ProcessTree, launch?: Launch): Promise<void> {
    const { output } = this.#options;
    const { signal } = this.#ended;
    const pumps = [pump("stdout", child.stdout, signal, output), pump("stderr", child.stderr, signal, output, launch)];
    const how = await endOf(child);
    tree.leaderEnded();
    this.#leaderLives = false;
    this.input?.end();
    const at = new Date();
    // A stop that comes while leftovers are ended is too late to be why.
    this.#cause ??= this.#ownCause(how);
    clearTimeout(this.#timeoutTimer);
    this.#kill?.end();
    // A stop whose grace period is over has no more patience with what the leader left behind.
    const { left, isDenied } = await tree.endLeftovers(this.#kill?.leftMs ?? LEFTOVER_GRACE_MS);
    if (left.length > 0) {
      const pids = left.map((name) => Number.parseInt(name)).filter(Number.isInteger);
      this.#options.onError?.(new SurvivorsError(this.#id, pids, isDenied));
    }
    const exitReport = await tree.close();
    this.#ended.abort();
    await drain(pumps);
    const failure = this.#launchFailure(launch, how);
    if (failure !== undefined) return this.#finish({ type: "spawnFailed", ...failure, at });
    this.#nowRuns();
    const { reason, by, error } = this.#cause;
    this.#finish({
      type: "ended",
      how,
      at,
      reason,
      exitReport,
      ...defined({ stoppedBy: by, error }),
    });
  }

  /** Why the program never ran; undefined when it did, and when somebody ended the launcher, for that is an end. */
  #launchFailure(launch: Launch | undefined, how: { exitCode: number } | { signal: string }): StartFailure | undefined {
    if (!("signal" in how)) return launch?.failure();
    const wasAsked = this.#cause?.reason !== "SIGNALED" || this.#lastSignal !== undefined;
    return wasAsked ? undefined : launch?.failure(how.signal);
  }

  #ownCause(how: { exitCode: number } | { signal: string }): EndCause {
    if ("exitCode" in how) return { reason: "EXITED" };
    if (this.#lastSignal?.name === how.signal) {
      const { by } = this.#lastSignal;
      return { reason: "SIGNALED", ...defined({ by }) };
    }
    const isOutOfMemory = how.signal === "SIGKILL" && (this.#tree?.oomKills ?? 0) > 0;
    return { reason: isOutOfMemory ? "OUT_OF_MEMORY" : "SIGNALED" };
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

type Timer = ReturnType<typeof setTimeout>;

async function endOf(child: Deno.ChildProcess): Promise<{ exitCode: number } | { signal: string }> {
  try {
    const { code, signal } = await child.status;
    return signal === null ? { exitCode: code } : { signal };
  } catch (error) {
    // Deno 2.9 knows no real-time signals and rejects with their number: "Invalid signal: 34".
    const number = Number(/^Invalid signal: ([0-9]+)$/.exec(error instanceof Error ? error.message : "")?.[1]);
    const name = signalName(number);
    if (name === undefined) throw error;
    return { signal: name };
  }
}
