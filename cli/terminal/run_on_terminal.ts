/** Starts a job on this terminal and follows it until it ends or the user leaves it. */
import type { TerminalSize } from "../io.ts";
import type { Context } from "../context.ts";
import type { SignalForwarding } from "../forward_signals.ts";
import { type JobRun, runJob } from "../follow/run_job.ts";
import type { JobStart } from "../follow/job_start.ts";
import { leavingText, openSession, type SessionOptions } from "./session.ts";

/** The job, and the parts that a run needs. */
export interface TerminalRunOptions extends Omit<SessionOptions, "id" | "size"> {
  readonly start: JobStart;
  readonly size: TerminalSize;
  /** Forwards the signals of a job without keys. */
  readonly forwarding: SignalForwarding;
}

/**
 * Starts the job. With keys, Ctrl-C is one of them, and a signal to this process leaves the job. Without, signals reach
 * the job as they do without a terminal.
 *
 * @throws {DetachedError} when the user has left the job
 */
export async function runOnTerminal(context: Context, options: TerminalRunOptions): Promise<JobRun> {
  const { start, hasInput, forwarding } = options;
  const { id } = start;
  if (hasInput) await context.print.note(leavingText(id, options));
  // Two listeners for one signal would forward it and leave.
  if (hasInput) forwarding[Symbol.dispose]();
  await using session = openSession(context, { ...options, id });
  return await runJob({ ...context, print: session.print }, {
    start,
    hasInput,
    outages: session.outages,
    forwarding: {
      interrupted: hasInput ? session.left : forwarding.interrupted,
      registered: () => {},
      running() {
        if (!hasInput) forwarding.running();
        session.sizes?.update();
      },
      [Symbol.dispose]: () => {},
    },
    ...(hasInput ? { sendInput: (signal) => session.sendKeys(signal) } : {}),
  });
}
