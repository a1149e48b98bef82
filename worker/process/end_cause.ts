/** The cause of a process's end. The first cause counts. */
import { defined } from "../../base/defined.ts";
import { errorCode } from "../../base/error_code.ts";
import { LimitReachedError } from "../errors.ts";
import type { ExitStatus } from "./exit_status.ts";
import type { Reason } from "./state.ts";

/** Why a process ends, and who requested it. */
export interface EndCause {
  readonly reason: Reason;
  /** The user whose call ends it. Absent if no user did. */
  readonly by?: string;
  /** The server's own failure, if that is the reason. */
  readonly error?: string;
}

/** Keeps the first cause of a process's end, and the last signal that a user sent, which may become the cause. */
export class FirstCause {
  #cause: EndCause | undefined;
  #lastSignal: { readonly name: string; readonly by?: string } | undefined;

  /** The cause. Undefined while no cause is known. */
  get cause(): EndCause | undefined {
    return this.#cause;
  }

  /** True if a user sent a signal to the process. */
  get hasSignal(): boolean {
    return this.#lastSignal !== undefined;
  }

  /** Sets the cause, unless there is one. Returns the cause that counts. */
  set(cause: EndCause): EndCause {
    return this.#cause ??= cause;
  }

  /** Sets the failure of the output as the cause: a limit was reached, or the output could not be stored. */
  setOutputFailure(error: unknown): void {
    if (error instanceof LimitReachedError) this.set({ reason: "OUTPUT_LIMIT", error: error.message });
    else {
      const code = errorCode(error);
      const why = code === undefined ? "" : ` (${code})`;
      this.set({ reason: "OUTPUT_FAILED", error: `The server could not record the output${why} and stopped the job` });
    }
  }

  /**
   * Notes a signal that a user sends.
   *
   * @returns a function that forgets it, for a signal that no process got
   */
  noteSignal(name: string, by: string | undefined): () => void {
    const before = this.#lastSignal;
    this.#lastSignal = { name, ...defined({ by }) };
    return () => this.#lastSignal = before;
  }

  /**
   * Sets the cause that an exit status shows, unless there is one. Returns the cause that counts.
   *
   * @param oomKills the number of processes that the kernel killed for lack of memory
   */
  setByExit(status: ExitStatus, oomKills: number): EndCause {
    return this.set(this.#causeOf(status, oomKills));
  }

  #causeOf(status: ExitStatus, oomKills: number): EndCause {
    if ("exitCode" in status) return { reason: "EXITED" };
    if (this.#lastSignal?.name === status.signal) {
      return { reason: "SIGNALED", ...defined({ by: this.#lastSignal.by }) };
    }
    return { reason: status.signal === "SIGKILL" && oomKills > 0 ? "OUT_OF_MEMORY" : "SIGNALED" };
  }
}
