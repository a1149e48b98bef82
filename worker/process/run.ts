/** One run of a process: from the spawned child to the exit of its leader, the end of its survivors and its output. */
import { defined } from "../../base/defined.ts";
import { SurvivorsError } from "../errors.ts";
import type { StartFailure } from "../launch/failure.ts";
import { ignoresTerm, readEntry } from "../linux/procfs.ts";
import { sendNow } from "../linux/signals.ts";
import type { FirstCause } from "./end_cause.ts";
import { type ExitStatus, waitForExit } from "./exit_status.ts";
import { KillTimer } from "./kill_timer.ts";
import type { ProcessOptions } from "./options.ts";
import { widenPipe } from "./pipe_size.ts";
import { drain, pump } from "./pump.ts";
import type { Spawned } from "./spawn.ts";
import type { ProcessEvent } from "./state.ts";
import type { ProcessInput } from "./stdin.ts";
import { SURVIVOR_GRACE_MS } from "./termination.ts";
import type { TerminalSize } from "../terminal/size.ts";
import { ProcessTree } from "./tree.ts";

/** The time until SIGHUP is sent again to a leader that did not end. It doubles each time. */
const HANG_UP_AGAIN_MS = 100;

/** Options of a run. */
export interface RunOptions extends Pick<ProcessOptions, "output" | "onError" | "timeoutMs"> {
  /** The mark of its processes. */
  readonly id: string;
  readonly firstCause: FirstCause;
  /** The standard input. Absent: it has none. */
  readonly stdin?: ProcessInput;
  /** Called when the leader has run for `timeoutMs`. */
  readonly onTimeout: () => void;
}

/** One run of a process. */
export class ProcessRun {
  readonly tree: ProcessTree;
  readonly killTimer: KillTimer;
  readonly #spawned: Spawned;
  readonly #options: RunOptions;
  /** Aborts when no process is left. */
  readonly #gone = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #hangUpTimer: ReturnType<typeof setTimeout> | undefined;
  #leaderLives = true;

  constructor(spawned: Spawned, options: RunOptions) {
    const { child, cgroup, tag, terminal } = spawned;
    const { id, stdin, timeoutMs, onTimeout } = options;
    this.#spawned = spawned;
    this.#options = options;
    const startTime = readEntry(child.pid)?.startTime ?? Infinity;
    this.tree = new ProcessTree({ leader: child.pid, startTime, mark: id, ...defined({ tag }) }, cgroup);
    this.killTimer = new KillTimer(this.tree, (pids) => options.onError?.(new SurvivorsError(id, pids, true)));
    if (terminal === undefined) stdin?.open(child.stdin);
    if (timeoutMs) this.#timer = setTimeout(onTimeout, timeoutMs);
  }

  /** True until the leader's exit is seen. Until then no other process can have its pid. */
  get leaderLives(): boolean {
    return this.#leaderLives;
  }

  /** Notes that the program runs, or that the launcher is about to become it. */
  programRuns(): void {
    // A terminal shows its input at once. So the input waits while the launcher may write a message.
    if (this.#spawned.terminal !== undefined) this.#options.stdin?.open(this.#spawned.terminal.input);
  }

  /** Sends SIGTERM to the leader's group. Not allowed after the leader's exit was seen. */
  sendTerm(): void {
    const { terminal } = this.#spawned;
    const { leader } = this.tree.membership;
    this.tree.sendTerm();
    // An interactive shell ignores SIGTERM. It ends when its terminal hangs up, and passes SIGHUP to its jobs.
    if (terminal !== undefined && ignoresTerm(leader)) this.#hangUp(leader, HANG_UP_AGAIN_MS);
  }

  /** Sends SIGHUP to the leader until it ends. bash 5.2 misses a signal that comes just before it waits for a key. */
  #hangUp(leader: number, againMs: number): void {
    sendNow(leader, "SIGHUP");
    this.#hangUpTimer = setTimeout(() => this.#hangUp(leader, 2 * againMs), againMs);
  }

  /** Changes the size of the terminal. Without one, this has no effect. */
  resize(size: TerminalSize): void {
    this.#spawned.terminal?.resize(size);
  }

  /** Waits for the leader's exit, ends the survivors and drains the output. Returns the event that ends the process. */
  async end(): Promise<ProcessEvent> {
    try {
      return await this.#end();
    } finally {
      await this.#spawned.terminal?.close();
    }
  }

  async #end(): Promise<ProcessEvent> {
    const { child, launch, terminal } = this.#spawned;
    const { output, firstCause, stdin } = this.#options;
    const sink = { gone: this.#gone.signal, ...defined({ output }) };
    const filter = defined({ filter: launch?.stderr });
    const pumps = terminal === undefined
      ? [
        pump("stdout", child.stdout, { ...sink, widen: () => widenPipe(child.pid, 1) }),
        pump("stderr", child.stderr, { ...sink, ...filter, widen: () => widenPipe(child.pid, 2) }),
      ]
      : [pump("stdout", terminal.output, { ...sink, ...filter })];
    const how = await waitForExit(child);
    this.tree.leaderEnded();
    this.#leaderLives = false;
    const at = new Date();
    // From here on a stop comes too late to be the cause.
    // A process that the kernel killed for lack of memory got SIGKILL. Other ends save the read.
    const oomKills = "signal" in how && how.signal === "SIGKILL" ? this.tree.oomKills : undefined;
    const { reason, by, error } = firstCause.setByExit(how, oomKills ?? 0);
    stdin?.end();
    for (const timer of [this.#timer, this.#hangUpTimer]) clearTimeout(timer);
    this.killTimer.cancel();
    await this.#endSurvivors();
    const exitReport = await this.tree.close();
    this.#gone.abort();
    terminal?.hangUp();
    await drain(pumps);
    const failure = this.#launchFailure(how);
    if (failure !== undefined) return { type: "spawnFailed", ...failure, at };
    return { type: "ended", how, at, reason, exitReport, ...defined({ stoppedBy: by, error }) };
  }

  /** Ends the survivors. If the process was stopped, they get the rest of its grace period. */
  async #endSurvivors(): Promise<void> {
    const { left, isDenied } = await this.tree.endSurvivors(this.killTimer.leftMs ?? SURVIVOR_GRACE_MS);
    if (left.length === 0) return;
    const pids = left.map((name) => Number.parseInt(name)).filter(Number.isInteger);
    this.#options.onError?.(new SurvivorsError(this.#options.id, pids, isDenied));
  }

  /** Returns why the program never ran. Undefined if it ran, and if a user ended the launcher: that is a normal end. */
  #launchFailure(how: ExitStatus): StartFailure | undefined {
    const { launch } = this.#spawned;
    if (!("signal" in how)) return launch?.failure();
    const { cause, hasSignal } = this.#options.firstCause;
    const wasRequested = cause?.reason !== "SIGNALED" || hasSignal;
    return wasRequested ? undefined : launch?.failure(how.signal);
  }
}
