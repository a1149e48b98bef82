/** `teleport run`: registers a job, starts it, prints its output and exits as it did. */
import { errorCode } from "../../base/error_code.ts";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Context } from "../context.ts";
import { callStatus, EXIT_CODE, jobExitCode, unreachableReason } from "../exit_code.ts";
import { followOutput } from "../follow/follow_output.ts";
import { followStatus } from "../follow/follow_status.ts";
import { forwardSignals, leaveOnSignals, type SignalForwarding } from "../forward_signals.ts";
import { statusJson } from "../print/message_json.ts";
import { Outages } from "../follow/outage.ts";
import { BrokenPipeError } from "../print/print.ts";
import { printOutput } from "../print/print_output.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { registerJob } from "../register_job.ts";
import { sendInput } from "../follow/send_input.ts";
import { isFinal, reasonText } from "../print/status_text.ts";

/** How long the job may take to be told that its reader left, in milliseconds: a shell pipeline is waiting. */
const BROKEN_PIPE_DEADLINE_MS = 5_000;

/**
 * Runs the job in the foreground. Signals reach the job (see `forward_signals.ts`). When the reader of the
 * output goes away, the job gets SIGPIPE, as a program of a local pipeline would.
 *
 * @param retryForMs how long an outage of the server may last, in milliseconds
 * @returns the exit code of the job; 1 in place of 0 when the standard input could not be read to its end
 */
export async function run(context: Context, request: Sent<JobRequest>, retryForMs?: number): Promise<number> {
  const { calls, print } = context;
  const outages = new Outages(print, retryForMs);
  using forwarding = forwardSignals(context);
  const { id } = await registerJob(calls, request, outages, forwarding.left).catch((error) => {
    throw forwarding.left.aborted ? forwarding.left.reason : error;
  });
  forwarding.registered(id);
  let isStarted = false;
  try {
    const options = { id, hasInput: request.input ?? false, onStarted: () => isStarted = true };
    const { status, isInputRead } = await runRegistered(context, forwarding, outages, options);
    const sentence = endSentence(status);
    if (sentence !== "") await print.note(sentence);
    const exitCode = jobExitCode(status);
    return exitCode === EXIT_CODE.OK && !isInputRead ? EXIT_CODE.FAILED : exitCode;
  } catch (error) {
    if (error instanceof BrokenPipeError) {
      await calls.Signal({ id, signal: "SIGPIPE" }, { deadlineMs: BROKEN_PIPE_DEADLINE_MS }).catch(() => {});
    } else {
      await print.note(
        isStarted
          ? `Job "${id}" may still run: "teleport logs -f ${id}" shows its output, "teleport stop ${id}" stops it`
          : notStarted(id, error),
      ).catch(() => {});
    }
    throw error;
  }
}

/** A job that has ended. */
interface Ran {
  readonly status: JobStatus;
  /** False when the standard input could not be read to its end. */
  readonly isInputRead: boolean;
}

/** Starts the job and reads its output at the same time: neither waits for the other's way to the server. */
async function runRegistered(
  context: Context,
  forwarding: SignalForwarding,
  outages: Outages,
  { id, hasInput, onStarted }: { readonly id: string; readonly hasInput: boolean; readonly onStarted: () => void },
): Promise<Ran> {
  const { calls, print } = context;
  const over = new AbortController();
  const signal = AbortSignal.any([forwarding.left, over.signal]);
  /** Why there will be no output: the first that went wrong of starting the job and of sending its input. */
  let startError: unknown;
  let sending: Promise<unknown> | undefined;
  let isInputRead = true;
  let last: JobStatus | undefined;
  const starting = (async () => {
    for await (const status of followStatus(() => calls.Start({ id }, { signal }), outages, signal)) {
      last = status;
      if (status.state === "STATE_INITIAL" || status.state === "STATE_STARTING") continue;
      onStarted();
      forwarding.running();
      if (!hasInput || isFinal(status.state)) continue;
      const onReadError = () => isInputRead = false;
      sending ??= sendStdin(context, { id, outages, signal, onReadError }).catch((error) => {
        // A job that waits for the rest would wait for ever.
        startError ??= error;
        over.abort();
      });
    }
  })().catch((error) => {
    // Without a start the output would never end.
    startError ??= error;
    over.abort();
  });
  try {
    const request = { id, follow: true };
    const end = await followOutput(calls, { request, signal, outages }, (output) => printOutput(print, output));
    if (end.status !== null && isFinal(end.status.state)) {
      return { status: end.status, isInputRead };
    }
    await starting;
    if (last === undefined || !isFinal(last.state)) {
      throw startError ?? new Error(`The output of job "${id}" ended before the job did`);
    }
    return { status: last, isInputRead };
  } catch (error) {
    throw forwarding.left.aborted ? forwarding.left.reason : startError ?? error;
  } finally {
    over.abort();
    await starting;
    await sending;
  }
}

/**
 * Sends the standard input until its end, or until the job takes no more, which is the job's own affair. An input that
 * cannot be read ends the job's input; the job continues.
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
      ends: true,
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

/** What the person at the terminal would not see from the output and the exit code; empty where they tell all. */
function endSentence(status: JobStatus): string {
  if (status.state === "STATE_FAILED" || status.state === "STATE_LOST") return status.error;
  const told = status.reason === "REASON_EXITED" || status.reason === "REASON_SIGNALED" ? "" : reasonText(status);
  return told === "" ? "" : `Job "${status.id}" was ended: ${told}`;
}

/** What became of a job that was registered and not seen to start, and what to do with it. */
function notStarted(id: string, error: unknown): string {
  // The server has answered: the start was refused.
  if (callStatus(error) !== undefined && unreachableReason(error) === undefined) {
    return `Job "${id}" was registered, but not started: "teleport start ${id}" starts it, "teleport rm ${id}" removes it`;
  }
  return `Job "${id}" was registered, but not seen to start: "teleport status ${id}" shows it`;
}

/**
 * Starts the job and leaves it, once it runs or has ended already. Prints the id, also where the start failed or was
 * refused: the job is there all the same.
 *
 * @param retryForMs how long an outage of the server may last, in milliseconds
 * @returns 0, or where the job could not be started its exit code
 */
export async function runDetached(
  { calls, io, print }: Context,
  request: Sent<JobRequest>,
  retryForMs?: number,
): Promise<number> {
  const outages = new Outages(print, retryForMs);
  using leaving = leaveOnSignals(io);
  const signal = leaving.left;
  let status: JobStatus = await registerJob(calls, request, outages, signal).catch((error) => {
    throw signal.aborted ? signal.reason : error;
  });
  const { id } = status;
  try {
    for await (status of followStatus(() => calls.Start({ id }, { signal }), outages, signal)) {
      if (status.state !== "STATE_INITIAL" && status.state !== "STATE_STARTING") break;
    }
  } catch (error) {
    await print.note(notStarted(id, error)).catch(() => {});
    await printId();
    throw signal.aborted ? signal.reason : error;
  }
  await printId();
  if (status.state !== "STATE_FAILED") return EXIT_CODE.OK;
  await print.note(status.error);
  return jobExitCode(status);

  async function printId(): Promise<void> {
    try {
      await (print.json ? print.record(statusJson(status)) : print.line(escapeTerminal(id)));
    } catch (error) {
      await print.note(`Job "${id}" was registered: "teleport status ${id}" shows it`).catch(() => {});
      throw error;
    }
  }
}
