/** Passes the signals that `run` gets on to its job, and lets the person at the keyboard out. */
import type { JobWorkerClient } from "../proto/service.ts";
import { CALL_DEADLINE_MS } from "./context.ts";
import { callStatus, InterruptedError } from "./exit_code.ts";
import { FORWARDED_SIGNALS, type ForwardedSignal, type Io } from "./io.ts";
import type { Print } from "./print/print.ts";
import { SignalRepeats } from "../units/signal_repeats.ts";

/** The signal with this number, counted over both kinds, is not forwarded: the program leaves. As docker has it. */
const LEAVES_AT = 3;

/** Forwards until disposed of. */
export interface SignalForwarding extends Disposable {
  /** Aborts when the program is to leave, its reason an {@linkcode InterruptedError}. */
  readonly interrupted: AbortSignal;
  /** The job is registered: from now on signals are kept for it. */
  registered(id: string): void;
  /** The job runs: what was kept is sent, and what comes later at once. */
  running(): void;
}

/**
 * Starts to forward SIGINT, SIGTERM, SIGHUP and SIGQUIT. The same signal once more within 200 ms counts as one.
 *
 * - Before the job is registered there is nothing to forward to: the first signal leaves.
 * - Then the first and the second reach the job's process group as they are; they wait while the job is being started.
 *   What the job makes of them is its own affair, as with a program started in a terminal.
 * - The third leaves, and a sentence says that the job may still run and how to stop it.
 */
export function forwardSignals(
  { calls, io, print }: { calls: Pick<JobWorkerClient, "Signal">; io: Pick<Io, "onSignal" | "nowMs">; print: Print },
): SignalForwarding {
  const left = new AbortController();
  const kept: ForwardedSignal[] = [];
  let id: string | undefined;
  let isRunning = false;
  let count = 0;
  const repeats = new SignalRepeats();

  const send = async (id: string, signal: ForwardedSignal) => {
    // The terminal may be gone: a log that stderr goes to then says what became of the job.
    if (signal === "SIGHUP" || signal === "SIGQUIT") {
      await print.note(`${signal} is sent to job "${id}"`).catch(() => {});
    }
    try {
      await calls.Signal({ id, signal }, { signal: left.signal, deadlineMs: CALL_DEADLINE_MS });
    } catch (error) {
      // It ended meanwhile, or this program leaves: nothing to tell. Else the person should know that it did not arrive.
      if (callStatus(error) === "FAILED_PRECONDITION" || left.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      // Where stderr is gone too, there is nobody to tell.
      await print.note(`Cannot send ${signal} to job "${id}": ${message}`).catch(() => {});
    }
  };

  const receive = (signal: ForwardedSignal) => {
    if (repeats.isRepeat(signal, io.nowMs())) return;
    count += 1;
    if (id === undefined) {
      left.abort(new InterruptedError(signal, `Left on ${signal} before the job was registered`));
    } else if (count >= LEAVES_AT) {
      left.abort(new InterruptedError(signal, `Left on the third signal`));
    } else if (isRunning) {
      void send(id, signal);
    } else {
      kept.push(signal);
    }
  };

  const listeners = FORWARDED_SIGNALS.map((signal) => io.onSignal(signal, () => receive(signal)));
  return {
    interrupted: left.signal,
    registered(registeredId) {
      id = registeredId;
    },
    running() {
      if (isRunning || id === undefined) return;
      isRunning = true;
      const registeredId = id;
      // One after the other, so that they arrive in the order in which they came.
      void kept.splice(0).reduce((before, signal) => before.then(() => send(registeredId, signal)), Promise.resolve());
    },
    [Symbol.dispose]() {
      for (const listener of listeners) listener[Symbol.dispose]();
    },
  };
}

/** Leaves on the first signal: for a command whose job continues without it. */
export function interruptOnSignals(io: Pick<Io, "onSignal">): Pick<SignalForwarding, "interrupted"> & Disposable {
  const left = new AbortController();
  const leave = (signal: ForwardedSignal) => left.abort(new InterruptedError(signal, `Left on ${signal}`));
  const listeners = FORWARDED_SIGNALS.map((signal) => io.onSignal(signal, () => leave(signal)));
  return {
    interrupted: left.signal,
    [Symbol.dispose]() {
      for (const listener of listeners) listener[Symbol.dispose]();
    },
  };
}
