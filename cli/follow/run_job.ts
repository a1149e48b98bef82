/** Starts a registered job and follows it to its end: output, input and signals. */
import { errorCode } from "../../base/error_code.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Context } from "../context.ts";
import type { SignalForwarding } from "../forward_signals.ts";
import { printOutput } from "../print/print_output.ts";
import { isFinal } from "../print/status_text.ts";
import { followOutput } from "./follow_output.ts";
import type { JobStart } from "./job_start.ts";
import type { Outages } from "./outage.ts";
import { sendInput } from "./send_input.ts";
import { noteWait } from "./waiting_note.ts";

/** The job, and what it needs while it runs. */
export interface RunJobOptions {
  readonly start: JobStart;
  /** True sends the standard input to the job. */
  readonly hasInput: boolean;
  /** Sends the input in place of the standard input to its end. */
  readonly sendInput?: (signal: AbortSignal) => Promise<void>;
  readonly forwarding: SignalForwarding;
  readonly outages: Outages;
}

/** The end of a job. */
export interface JobRun {
  readonly status: JobStatus;
  /** False when the standard input could not be read to its end. */
  readonly isInputRead: boolean;
}

/**
 * Starts the job and prints its output. The start and the output are requested at the same time, so that neither waits for
 * the other's round trip.
 *
 * @throws the error that kept the job from starting or its input from arriving, or that of the output
 */
export async function runJob(context: Context, options: RunJobOptions): Promise<JobRun> {
  const { calls, print } = context;
  const { start, hasInput, forwarding, outages } = options;
  const { id } = start;
  const over = new AbortController();
  const begun = new AbortController();
  const signal = AbortSignal.any([forwarding.interrupted, over.signal]);
  /** The first error of the start or of the input. Without those, the output would never end. */
  let firstError: unknown;
  const fail = (error: unknown) => {
    firstError ??= error;
    over.abort();
  };
  let sending: Promise<unknown> | undefined;
  let isInputRead = true;
  let last: JobStatus | undefined;
  const starting = (async () => {
    for await (const status of start.statuses(calls, outages, signal)) {
      last = status;
      if (!start.hasBegun) continue;
      begun.abort();
      forwarding.running();
      if (!hasInput || isFinal(status.state)) continue;
      const onReadError = () => isInputRead = false;
      sending ??= (options.sendInput?.(signal) ?? sendStdin(context, { id, outages, signal, onReadError })).catch(fail);
    }
  })().catch(fail);
  const noting = noteWait(context, id, AbortSignal.any([signal, begun.signal]));
  try {
    const request = { id, follow: true };
    const end = await followOutput(calls, { request, signal, outages }, (output) => printOutput(print, output));
    if (end.status !== null && isFinal(end.status.state)) return { status: end.status, isInputRead };
    await starting;
    if (last !== undefined && isFinal(last.state)) return { status: last, isInputRead };
    throw firstError ?? new Error(`The output of job "${id}" ended before the job did`);
  } catch (error) {
    throw forwarding.interrupted.aborted ? forwarding.interrupted.reason : firstError ?? error;
  } finally {
    over.abort();
    await starting;
    await sending;
    await noting;
  }
}

/**
 * Sends the standard input to its end, or until the job takes no more. An input that cannot be read ends the job's input;
 * the job continues.
 */
async function sendStdin(
  { calls, io, print }: Context,
  { id, outages, signal, onReadError }: {
    readonly id: string;
    readonly outages: Outages;
    readonly signal: AbortSignal;
    readonly onReadError: () => void;
  },
): Promise<void> {
  let noted: Promise<void> | undefined;
  try {
    await sendInput(calls, io.stdin, {
      id,
      offset: 0,
      endsInput: true,
      outages,
      signal,
      onReadError: ({ message }) => {
        onReadError();
        noted = print.note(`${message}: the job's input ends there`);
      },
    });
  } catch (error) {
    const code = errorCode(error);
    if (code !== "JOB_NOT_RUNNING" && code !== "INPUT_CLOSED" && !signal.aborted) throw error;
  } finally {
    await noted;
  }
}
