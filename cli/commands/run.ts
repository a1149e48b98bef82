/** `teleport run`: registers a job, starts it, prints its output and exits as it did. */
import type { Sent } from "../../proto/service.ts";
import type { JobRequest, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE, jobExitCode } from "../exit_code.ts";
import { followOutput } from "../follow_output.ts";
import { followStatus } from "../follow_status.ts";
import { forwardSignals, type SignalForwarding } from "../forward_signals.ts";
import { statusJson } from "../message_json.ts";
import { Outages } from "../outage.ts";
import { BrokenPipeError } from "../print.ts";
import { printOutput } from "../print_output.ts";
import { registerJob } from "../register_job.ts";
import { sendInput } from "../send_input.ts";
import { isFinal, reasonText } from "../status_text.ts";

/** How long the job may take to be told that its reader left, in milliseconds: a shell pipeline is waiting. */
const BROKEN_PIPE_DEADLINE_MS = 5_000;

/**
 * Runs the job in the foreground. SIGINT and SIGTERM reach the job (see `forward_signals.ts`). When the reader of the
 * output goes away, the job gets SIGPIPE, as a program of a local pipeline would.
 *
 * @param retryForMs how long an outage of the server may last, in milliseconds
 * @returns the exit code of the job
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
    const status = await runRegistered(context, forwarding, outages, options);
    const sentence = endSentence(status);
    if (sentence !== "") await print.note(sentence);
    return jobExitCode(status);
  } catch (error) {
    if (error instanceof BrokenPipeError) {
      await calls.Signal({ id, signal: "SIGPIPE" }, { deadlineMs: BROKEN_PIPE_DEADLINE_MS }).catch(() => {});
    } else {
      await print.note(
        isStarted
          ? `Job "${id}" may still run: "teleport logs -f ${id}" shows its output, "teleport stop ${id}" stops it`
          : `Job "${id}" was registered, but not seen to start: "teleport status ${id}" shows it`,
      );
    }
    throw error;
  }
}

/** Starts the job and reads its output at the same time: neither waits for the other's way to the server. */
async function runRegistered(
  context: Context,
  forwarding: SignalForwarding,
  outages: Outages,
  { id, hasInput, onStarted }: { readonly id: string; readonly hasInput: boolean; readonly onStarted: () => void },
): Promise<JobStatus> {
  const { calls, print } = context;
  const over = new AbortController();
  const signal = AbortSignal.any([forwarding.left, over.signal]);
  /** Why there will be no output: the first that went wrong of starting the job and of sending its input. */
  let startError: unknown;
  let sending: Promise<void> | undefined;
  let last: JobStatus | undefined;
  const starting = (async () => {
    for await (const status of followStatus(() => calls.Start({ id }, { signal }), outages, signal)) {
      last = status;
      if (status.state === "STATE_INITIAL" || status.state === "STATE_STARTING") continue;
      onStarted();
      forwarding.running();
      if (!hasInput || isFinal(status.state)) continue;
      sending ??= sendStdin(context, id, outages, signal).catch((error) => {
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
    if (end.status !== null && isFinal(end.status.state)) return end.status;
    await starting;
    if (last === undefined || !isFinal(last.state)) {
      throw startError ?? new Error(`The output of job "${id}" ended before the job did`);
    }
    return last;
  } catch (error) {
    throw forwarding.left.aborted ? forwarding.left.reason : startError ?? error;
  } finally {
    over.abort();
    await starting;
    await sending;
  }
}

/** Sends the standard input until its end, or until the job takes no more, which is the job's own affair. */
async function sendStdin({ calls, io }: Context, id: string, outages: Outages, signal: AbortSignal): Promise<void> {
  try {
    await sendInput(calls, io.stdin, { id, offset: 0, ends: true, outages, signal });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "JOB_NOT_RUNNING" && code !== "INPUT_CLOSED" && !signal.aborted) throw error;
  }
}

/** What the person at the terminal would not see from the output and the exit code; empty where they tell all. */
function endSentence(status: JobStatus): string {
  if (status.state === "STATE_FAILED" || status.state === "STATE_LOST") return status.error;
  const told = status.reason === "REASON_EXITED" || status.reason === "REASON_SIGNALED" ? "" : reasonText(status);
  return told === "" ? "" : `Job "${status.id}" was ended: ${told}`;
}

/**
 * Starts the job and leaves it, once it runs or has ended already. Prints the id, also where the start failed, for
 * then the job is there all the same.
 *
 * @param retryForMs how long an outage of the server may last, in milliseconds
 * @returns 0, or where the job could not be started its exit code
 */
export async function runDetached(
  { calls, print }: Context,
  request: Sent<JobRequest>,
  retryForMs?: number,
): Promise<number> {
  const outages = new Outages(print, retryForMs);
  let status: JobStatus = await registerJob(calls, request, outages);
  const { id } = status;
  for await (status of followStatus(() => calls.Start({ id }), outages)) {
    if (status.state !== "STATE_INITIAL" && status.state !== "STATE_STARTING") break;
  }
  await (print.json ? print.record(statusJson(status)) : print.line(id));
  if (status.state !== "STATE_FAILED") return EXIT_CODE.OK;
  await print.note(status.error);
  return jobExitCode(status);
}
