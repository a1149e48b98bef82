/** `teleport run`: registers a job, starts it, prints its output and exits as it did. */
import { type Command, Option } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { errorExitCode, EXIT_CODE, InterruptedError, jobExitCode } from "../exit_code.ts";
import { JobStart, notStartedText } from "../follow/job_start.ts";
import { Outages } from "../follow/outage.ts";
import { runJob } from "../follow/run_job.ts";
import { forwardSignals, interruptOnSignals } from "../forward_signals.ts";
import { addJobOptions, addLikeOption, type JobFlags, jobRequest, withEnvFiles } from "../options/job_options.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { statusJson } from "../print/message_json.ts";
import { failureText } from "../print/failure_text.ts";
import { BrokenPipeError } from "../print/print.ts";
import { reasonText } from "../print/status_text.ts";
import { addDetachKeysOption, type DetachKeysFlags, detachKeysOf } from "../terminal/detach_keys_option.ts";
import { DetachedError, detachedText } from "../terminal/detached.ts";
import { UsageError } from "../../units/usage_error.ts";
import { registerJob } from "../follow/register_job.ts";

const NOTES = `
With --stdin the job gets the standard input of this command, to its end: tar c . | teleport run -i tar x.
With --detach too, "teleport input ID" sends it later.

With -it the job has your terminal: teleport run -it bash. Every key reaches it, Ctrl-C too, and its output is one
stream. Ctrl-P Ctrl-Q, or ~. after Enter, leaves the job running (~~ sends one ~); so do a signal to this command and a
closed terminal. "teleport attach ID" comes back. With -t alone the job gets no keys.

The job's arguments reach it unchanged: no shell reads them again. Put -- before a command that
begins with -.

Exit code: the job's own; 128+n when signal n ended it; 124 timed out; 126 not executable;
127 not found; 1 refused or failed; 2 usage; 255 server unreachable or certificate refused.

The first two of SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGQUIT reach the job; the third ends this
command and leaves the job running. To leave a job running when the terminal closes, use --detach,
not nohup(1). When the reader of the output goes away, as with | head, the job gets SIGPIPE.

With --rm the job is removed when its output was printed whole. The third signal then kills it first.
--on-end runs a command here after the job's end, before --rm. It has the variables TELEPORT_JOB_ID,
TELEPORT_JOB_NAME, TELEPORT_JOB_STATE, TELEPORT_JOB_SIGNAL and TELEPORT_EXIT_CODE.`;

interface RunFlags extends JobFlags, RetryFlags, DetachKeysFlags {
  readonly detach?: true;
  readonly rm?: true;
  readonly onEnd?: string;
}

export const declare: Declare = (command, runner) => {
  addDetachKeysOption(
    addRetryOption(
      addLikeOption(addJobOptions(command)).passThroughOptions().option(
        "-d, --detach",
        "start the job, print its id and exit",
      )
        .addOption(new Option("--rm", "remove the job after its end").conflicts("detach"))
        .addOption(
          new Option("--on-end <COMMAND>", "run this command here, with sh, after the job's end").conflicts("detach"),
        ),
    ),
  )
    .addHelpText("after", NOTES)
    .action(async (name: string | undefined, args: string[], flags: RunFlags, self: Command) => {
      const request = jobRequest(name, args, await withEnvFiles(flags));
      await runner.call(self, async (context) => {
        if (!flags.tty && !flags.detach && context.io.terminal.isTerminal()) await adviseTerminal(request, context);
        const full = flags.tty ? await onTerminal(request, context, flags) : request;
        return await (flags.detach ? runDetached(context, full, flags.retryFor) : run(context, full, flags));
      });
    });
};

/** Prints a note when a job that gets no terminal needs one. */
async function adviseTerminal({ command = "", args = [] }: Sent<JobRequest>, { print }: Context): Promise<void> {
  const { needsTerminal } = await import("../terminal/needs_terminal.ts");
  if (needsTerminal(command, args)) {
    await print.note(`"${escapeTerminal(command)}" may need a terminal: use "teleport run -it"`);
  }
}

/**
 * Returns the request with this terminal.
 *
 * @throws {UsageError} when a job in the foreground cannot have it
 */
async function onTerminal(request: Sent<JobRequest>, { io, print }: Context, flags: RunFlags) {
  // Only here, as all of the terminal, because start-up time counts and most jobs have none.
  const { checkTerminal, withTerminal } = await import("../terminal/terminal_request.ts");
  if (!flags.detach) checkTerminal(io.terminal);
  if (!flags.detach && print.isJson) {
    throw new UsageError("--tty and --output json exclude each other: give one of them");
  }
  return withTerminal(request, io.terminal);
}

/** The deadline for the SIGPIPE after the reader of the output left, in milliseconds: a shell pipeline waits for it. */
const BROKEN_PIPE_DEADLINE_MS = 5_000;

/**
 * Runs the job in the foreground. Signals reach the job, see `forward_signals.ts`. When the reader of the output goes away,
 * the job gets SIGPIPE, as a program in a local pipeline would.
 *
 * @returns the exit code of the job, or 1 in place of 0 when the standard input could not be read to its end
 */
export async function run(context: Context, request: Sent<JobRequest>, flags: RunFlags): Promise<number> {
  const { calls, io, print } = context;
  const outages = new Outages(print, flags.retryFor);
  using forwarding = forwardSignals(context);
  const { id, input } = await registerJob(calls, request, outages, forwarding.interrupted).catch((error) => {
    throw forwarding.interrupted.aborted ? forwarding.interrupted.reason : error;
  });
  forwarding.registered(id);
  const start = new JobStart(id);
  try {
    const options = {
      start,
      hasInput: request.rerun ? input : request.input ?? false,
      forwarding,
      outages,
    };
    const size = flags.tty ? io.terminal.size() : undefined;
    const { status, isInputRead } = size === undefined
      ? await runJob(context, options)
      : await (await import("../terminal/run_on_terminal.ts")).runOnTerminal(context, {
        ...options,
        size,
        detachKeys: detachKeysOf(flags),
        retryForMs: flags.retryFor,
      });
    const sentence = endSentence(status);
    if (sentence !== "") await print.note(sentence);
    if (flags.onEnd !== undefined) await (await afterEnd()).runOnEnd(context, flags.onEnd, status);
    if (flags.rm) await (await afterEnd()).removeJob(context, id);
    const exitCode = jobExitCode(status);
    return exitCode === EXIT_CODE.OK && !isInputRead ? EXIT_CODE.FAILED : exitCode;
  } catch (error) {
    if (error instanceof DetachedError) {
      await print.note(detachedText(id));
      return EXIT_CODE.OK;
    }
    if (error instanceof BrokenPipeError) {
      await calls.Signal({ id, signal: "SIGPIPE" }, { deadlineMs: BROKEN_PIPE_DEADLINE_MS }).catch(() => {});
      if (flags.rm) await (await afterEnd()).removeJob(context, id);
    } else if (flags.rm && isRemovable(error, start)) {
      await (await afterEnd()).removeJob(context, id, 0);
    } else {
      const back = flags.tty ? `"teleport attach ${id}" comes back` : `"teleport logs -f ${id}" shows its output`;
      const sentence = start.hasBegun
        ? `Job "${id}" may still run: ${back}, "teleport stop ${id}" stops it`
        : notStartedText(start);
      await print.note(sentence).catch(() => {});
    }
    throw error;
  }
}

/** Loads what only `--rm` and `--on-end` need. */
function afterEnd() {
  return import("../follow/after_end.ts");
}

/**
 * Returns whether `--rm` may remove a job whose run failed. Not when the server or the job host is away, or has
 * output of a job that did not arrive.
 */
function isRemovable(error: unknown, { hasBegun }: JobStart): boolean {
  return error instanceof InterruptedError || (!hasBegun && errorExitCode(error) !== EXIT_CODE.UNREACHABLE);
}

/** Describes an end that neither the output nor the exit code shows. Empty when they show it. */
function endSentence(status: JobStatus): string {
  if (status.state === "STATE_FAILED" || status.state === "STATE_LOST") return failureText(status);
  const isOwnEnd = status.reason === "REASON_EXITED" || status.reason === "REASON_SIGNALED";
  const reason = isOwnEnd ? "" : reasonText(status);
  return reason === "" ? "" : `Job "${status.id}" was ended: ${reason}`;
}

/** Returns true when a detached job no longer needs its client: it runs, has ended, or an engine has taken it. */
function isAccepted({ state, placement }: JobStatus): boolean {
  if (state === "STATE_STARTING") return (placement?.handle ?? "") !== "";
  return state !== "STATE_INITIAL";
}

/**
 * Starts the job and returns when it runs, has ended, or is in the queue of an engine. Prints the id, also when the start
 * failed or was refused, because the job exists then.
 *
 * @param retryForMs the longest outage that is bridged, in milliseconds
 * @returns 0, or the exit code of a job that could not be started
 */
export async function runDetached(
  context: Context,
  request: Sent<JobRequest>,
  retryForMs?: number,
): Promise<number> {
  const { calls, io, print } = context;
  const outages = new Outages(print, retryForMs);
  using interruption = interruptOnSignals(io);
  const signal = interruption.interrupted;
  let status: JobStatus = await registerJob(calls, request, outages, signal).catch((error) => {
    throw signal.aborted ? signal.reason : error;
  });
  const { id } = status;
  const start = new JobStart(id);
  try {
    for await (status of start.statuses(calls, outages, signal)) {
      if (isAccepted(status)) break;
    }
  } catch (error) {
    await print.note(notStartedText(start)).catch(() => {});
    await printId();
    throw signal.aborted ? signal.reason : error;
  }
  await printId();
  if (status.state !== "STATE_FAILED") return EXIT_CODE.OK;
  await print.note(failureText(status));
  return jobExitCode(status);

  async function printId(): Promise<void> {
    try {
      await (print.isJson ? print.jsonLine(statusJson(status)) : print.line(escapeTerminal(id)));
    } catch (error) {
      await print.note(`Job "${id}" was registered: "teleport status ${id}" shows it`).catch(() => {});
      throw error;
    }
  }
}
