/** Connects this terminal to a running job, until the job ends or the user leaves it. */
import type { JobOutput, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Context } from "../context.ts";
import { followOutput } from "../follow/follow_output.ts";
import { printOutput } from "../print/print_output.ts";
import { openSession, type Session } from "./session.ts";

/**
 * The recorded output that is read for its screen modes when a job on a terminal is attached, in bytes. Programs set most
 * modes when they start, so a long session may be missing some. Then the screen is drawn in the normal screen.
 */
const MODES_BYTES = 262_144;

/** The job, and how to attach to it. */
export interface AttachOptions {
  /** The status when the command began. */
  readonly status: JobStatus;
  /** True sends keys, or the standard input. */
  readonly hasInput: boolean;
  readonly detachKeys: Uint8Array | undefined;
  /** Shows the last lines of the output so far. Undefined: none. */
  readonly tailLines: number | undefined;
  /** In milliseconds. */
  readonly retryForMs: number | undefined;
}

/**
 * Prints the output and sends the keys.
 *
 * @returns the final status of the job
 * @throws {DetachedError} when the user has left the job
 */
export async function attachTo(context: Context, options: AttachOptions): Promise<JobStatus> {
  const { calls, io } = context;
  const { status, hasInput, detachKeys, tailLines, retryForMs } = options;
  const { id, terminal } = status;
  const size = terminal && hasInput ? io.terminal.size() : undefined;
  await using session = openSession(context, { id, hasInput, isWatching: true, detachKeys, size, retryForMs });
  const { outages, print, left, sizes } = session;
  const over = new AbortController();
  const signal = AbortSignal.any([left, over.signal]);
  let firstError: unknown;
  const sending = session.sendKeys(signal).catch((error) => {
    firstError = error;
    over.abort();
  });
  sizes?.redraw();
  try {
    const isModesWanted = terminal && tailLines === undefined && io.stdout.isTerminal();
    const tail = isModesWanted ? { tail_bytes: MODES_BYTES } : { tail_lines: tailLines ?? 0 };
    const show = isModesWanted
      ? afterBytes(status.stdout_bytes, session)
      : (output: JobOutput) => printOutput(print, output);
    const end = await followOutput(calls, { request: { id, follow: true, ...tail }, signal, outages }, show);
    return end.status ?? status;
  } catch (error) {
    throw left.aborted ? left.reason : firstError ?? error;
  } finally {
    over.abort();
    await sending;
  }
}

/** Prints the output from a position on. Output before only sets the modes of the screen. */
function afterBytes(begin: number, { print, screen }: Session): (output: JobOutput) => Promise<void> {
  let isShowing = false;
  return async (output) => {
    const { data, offset } = output;
    if (offset < begin) screen.skip(data.subarray(0, begin - offset));
    if (output.end === null && offset + data.length <= begin) return;
    if (!isShowing) await screen.enter();
    isShowing = true;
    const fresh = data.subarray(Math.max(0, Math.min(data.length, begin - offset)));
    await printOutput(print, { ...output, data: fresh });
  };
}
