/** Forwards the signals of `run` to its job. Also lets the user interrupt the command. */
import { errorMessage } from "../base/error_message.ts";
import type { JobWorkerClient } from "../proto/service.ts";
import { SignalRepeats } from "../units/signal_repeats.ts";
import { CALL_DEADLINE_MS } from "./context.ts";
import { callStatus, InterruptedError } from "./exit_code.ts";
import { FORWARDED_SIGNALS, type ForwardedSignal, type Io } from "./io.ts";
import type { Print } from "./print/print.ts";

/** The third signal of any kind interrupts the command instead of reaching the job, as with docker. */
const INTERRUPTS_AT = 3;

/** Forwards signals until it is disposed of. */
export interface SignalForwarding extends Disposable {
  /** Aborts when the command must end. The reason is an {@linkcode InterruptedError}. */
  readonly interrupted: AbortSignal;
  /** Keeps signals for the job from now on. */
  registered(id: string): void;
  /** Sends the kept signals to the job, and later ones at once. */
  running(): void;
}

/**
 * Starts to forward SIGINT, SIGTERM, SIGHUP and SIGQUIT. The same signal again within 200 ms counts once.
 *
 * - Before the job is registered, the first signal interrupts the command.
 * - Then the first and the second signal reach the job's process group. They wait while the job starts.
 * - The third one interrupts the command, and a sentence says that the job may still run and how to stop it.
 */
export function forwardSignals(
  { calls, io, print }: { calls: Pick<JobWorkerClient, "Signal">; io: Pick<Io, "onSignal" | "nowMs">; print: Print },
): SignalForwarding {
  const interruption = new AbortController();
  const kept: ForwardedSignal[] = [];
  let id: string | undefined;
  let isRunning = false;
  let isDisposed = false;
  let count = 0;
  const repeats = new SignalRepeats();

  const send = async (id: string, signal: ForwardedSignal) => {
    // The terminal may be gone. If stderr goes to a log, the log then shows what happened to the job.
    if (signal === "SIGHUP" || signal === "SIGQUIT") {
      await print.note(`${signal} is sent to job "${id}"`).catch(() => {});
    }
    try {
      await calls.Signal({ id, signal }, { signal: interruption.signal, deadlineMs: CALL_DEADLINE_MS });
    } catch (error) {
      // The job has ended, or this command ends: nothing was lost. The job may end before the call is answered.
      if (callStatus(error) === "FAILED_PRECONDITION" || interruption.signal.aborted || isDisposed) return;
      const message = errorMessage(error);
      await print.note(`Cannot send ${signal} to job "${id}": ${message}`).catch(() => {});
    }
  };

  const receive = (signal: ForwardedSignal) => {
    if (repeats.isRepeat(signal, io.nowMs())) return;
    count += 1;
    if (id === undefined) {
      interruption.abort(new InterruptedError(signal, `Interrupted by ${signal} before the job was registered`));
    } else if (count >= INTERRUPTS_AT) {
      interruption.abort(new InterruptedError(signal, "Interrupted by the third signal"));
    } else if (isRunning) {
      void send(id, signal);
    } else {
      kept.push(signal);
    }
  };

  const listeners = FORWARDED_SIGNALS.map((signal) => io.onSignal(signal, () => receive(signal)));
  return {
    interrupted: interruption.signal,
    registered(registeredId) {
      id = registeredId;
    },
    running() {
      if (isRunning || id === undefined) return;
      isRunning = true;
      const registeredId = id;
      // One after the other, so that they arrive in their order.
      void kept.splice(0).reduce((before, signal) => before.then(() => send(registeredId, signal)), Promise.resolve());
    },
    [Symbol.dispose]() {
      isDisposed = true;
      for (const listener of listeners) listener[Symbol.dispose]();
    },
  };
}

/** Interrupts the command at the first signal. For a command whose job continues without it. */
export function interruptOnSignals(io: Pick<Io, "onSignal">): Pick<SignalForwarding, "interrupted"> & Disposable {
  const interruption = new AbortController();
  const interrupt = (signal: ForwardedSignal) =>
    interruption.abort(new InterruptedError(signal, `Interrupted by ${signal}`));
  const listeners = FORWARDED_SIGNALS.map((signal) => io.onSignal(signal, () => interrupt(signal)));
  return {
    interrupted: interruption.signal,
    [Symbol.dispose]() {
      for (const listener of listeners) listener[Symbol.dispose]();
    },
  };
}
