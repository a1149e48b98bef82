/** One run of a process: from the spawned child to the exit of its leader, the end of its survivors and its output. */
import { defined } from "../../base/defined.ts";
import { SurvivorsError } from "../errors.ts";
import type { StartFailure } from "../launch/failure.ts";
import { readEntry } from "../linux/procfs.ts";
import type { FirstCause } from "./end_cause.ts";
import { type ExitStatus, waitForExit } from "./exit_status.ts";
import { KillTimer } from "./kill_timer.ts";
import type { ProcessOptions } from "./options.ts";
import { drain, pump } from "./pump.ts";
import type { Spawned } from "./spawn.ts";
import type { ProcessEvent } from "./state.ts";
import { SURVIVOR_GRACE_MS } from "./termination.ts";
import { ProcessTree } from "./tree.ts";

/** Options of a run. */
export interface RunOptions extends Pick<ProcessOptions, "output" | "onError"> {
  /** The mark of its processes. */
  readonly id: string;
  readonly firstCause: FirstCause;
  /** Called when the leader's exit is seen. */
  readonly onExit: () => void;
}

/** One run of a process. */
export class ProcessRun {
  readonly tree: ProcessTree;
  readonly killTimer: KillTimer;
  readonly #spawned: Spawned;
  readonly #options: RunOptions;
  /** Aborts when no process is left. */
  readonly #gone = new AbortController();
  #leaderLives = true;

  constructor(spawned: Spawned, options: RunOptions) {
    const { child, cgroup, tag } = spawned;
    const { id } = options;
    this.#spawned = spawned;
    this.#options = options;
    const startTime = readEntry(child.pid)?.startTime ?? Infinity;
    this.tree = new ProcessTree({ leader: child.pid, startTime, mark: id, ...defined({ tag }) }, cgroup);
    this.killTimer = new KillTimer(this.tree, (pids) => options.onError?.(new SurvivorsError(id, pids, true)));
  }

  /** True until the leader's exit is seen. Until then no other process can have its pid. */
  get leaderLives(): boolean {
    return this.#leaderLives;
  }

  /** Waits for the leader's exit, ends the survivors and drains the output. Returns the event that ends the process. */
  async end(): Promise<ProcessEvent> {
    const { child, launch } = this.#spawned;
    const { output, firstCause, onExit } = this.#options;
    const { signal } = this.#gone;
    const pumps = [
      pump("stdout", child.stdout, signal, output),
      pump("stderr", child.stderr, signal, output, launch?.stderr),
    ];
    const how = await waitForExit(child);
    this.tree.leaderEnded();
    this.#leaderLives = false;
    const at = new Date();
    // From here on a stop comes too late to be the cause.
    const { reason, by, error } = firstCause.setByExit(how, this.tree.oomKills ?? 0);
    onExit();
    this.killTimer.cancel();
    await this.#endSurvivors();
    const exitReport = await this.tree.close();
    this.#gone.abort();
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
