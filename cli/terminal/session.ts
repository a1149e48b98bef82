/** A session: this terminal belongs to a job until the job ends or the user leaves it. */
import { sleep } from "../../base/backoff.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import type { TerminalSize } from "../io.ts";
import { Outages, retryUntilAnswered } from "../follow/outage.ts";
import { interruptOnSignals } from "../forward_signals.ts";
import type { Print } from "../print/print.ts";
import { DetachedError } from "./detached.ts";
import { DetachFilter } from "./detach_filter.ts";
import { detachKeysText } from "./detach_keys.ts";
import { KeyInput } from "./key_input.ts";
import { enterRawMode } from "./raw_mode.ts";
import { createScreen, type Screen } from "./screen.ts";
import { sendKeys } from "./send_keys.ts";
import { SizeFollower } from "./size_follower.ts";

/** The longest wait for the last keys to arrive before a job is left, in milliseconds. A job may not read its keys. */
const LAST_KEYS_MS = 500;

/** The job, and how the terminal is used. */
export interface SessionOptions {
  readonly id: string;
  /** True sends keys to the job. */
  readonly hasInput: boolean;
  /** True leaves the job at a signal to this process although it gets no keys. Default false. */
  readonly isWatching?: boolean;
  /** The keys that leave. Undefined: none, or the standard input is not a terminal. */
  readonly detachKeys: Uint8Array | undefined;
  /** The size that the job's terminal has. Undefined when the job has no terminal. */
  readonly size: TerminalSize | undefined;
  /** The longest outage that is bridged, in milliseconds. */
  readonly retryForMs: number | undefined;
}

/** A session. Its end makes the terminal as it was. */
export interface Session extends AsyncDisposable {
  readonly print: Print;
  readonly screen: Screen;
  readonly outages: Outages;
  /** Aborts when the user leaves. The reason is a {@linkcode DetachedError} or an `InterruptedError`. */
  readonly left: AbortSignal;
  readonly sizes: SizeFollower | undefined;
  /** Sends the keys, until they end or the job takes no more. */
  sendKeys(signal: AbortSignal): Promise<void>;
}

/** Returns the sentence about how to leave a job, which is printed before the session begins. */
export function leavingText(id: string, { detachKeys, hasInput }: Pick<SessionOptions, "detachKeys" | "hasInput">) {
  if (!hasInput) return `Watching job "${id}": Ctrl-C leaves it running`;
  if (detachKeys === undefined) return `Job "${id}" stays attached to its end: no keys leave it`;
  return `To leave job "${id}" running: ${detachKeysText(detachKeys)}, or ~. after Enter`;
}

/** Begins a session. A signal to this process leaves the job. */
export function openSession({ calls, io, print }: Context, options: SessionOptions): Session {
  const { id, hasInput, isWatching = false, detachKeys, size, retryForMs } = options;
  const stack = new AsyncDisposableStack();
  const screen = createScreen(io, print);
  const detaching = new AbortController();
  // Without keys, signals reach the job, so its caller listens to them.
  const interruption = hasInput || isWatching ? stack.use(interruptOnSignals(io)) : undefined;
  stack.use(io.terminal.onCrash(() => screen.resetBytes()));
  // After the raw mode has ended. The terminal may be gone.
  stack.defer(() => print.bytes("stdout", screen.resetBytes({ newLine: left.aborted })).catch(() => {}));
  const isTerminal = io.terminal.isTerminal();
  if (size !== undefined && hasInput && isTerminal) stack.use(enterRawMode(io.terminal));
  const filter = isTerminal && detachKeys !== undefined ? new DetachFilter(detachKeys) : undefined;
  // The keys that were typed before those that leave are the end of the input.
  const sent = Promise.withResolvers<void>();
  const leave = async () => {
    await Promise.race([sent.promise, sleep(LAST_KEYS_MS, interruption?.interrupted).catch(() => {})]);
    detaching.abort(new DetachedError());
  };
  const keys = hasInput ? new KeyInput(io.stdin, filter, () => void leave()) : undefined;
  const left = AbortSignal.any([...(interruption ? [interruption.interrupted] : []), detaching.signal]);
  const outages = new Outages(screen.print, retryForMs, () => sizes?.redraw());
  const resize = (size: TerminalSize): Promise<JobStatus> =>
    retryUntilAnswered(
      () => calls.Resize({ id, size }, { signal: left, deadlineMs: CALL_DEADLINE_MS }),
      outages,
      left,
    );
  const sizes = size !== undefined && isTerminal ? stack.use(new SizeFollower(io.terminal, size, resize)) : undefined;
  return {
    print: screen.print,
    screen,
    outages,
    left,
    sizes,
    async sendKeys(signal) {
      const nowMs = () => io.nowMs();
      if (keys === undefined) return;
      await sendKeys(calls, keys, { id, outages, signal, print: screen.print, nowMs }).finally(sent.resolve);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
