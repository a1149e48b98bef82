/** The job of a copy on the server: it sends or receives, and is removed at the end, whatever happens. */
import { defined } from "../../base/defined.ts";
import { errorMessage } from "../../base/error_message.ts";
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { JobOutput, JobRequest, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { callStatus } from "../exit_code.ts";
import { followOutput } from "../follow/follow_output.ts";
import { followStatus } from "../follow/follow_status.ts";
import { type Outages, retryUntilAnswered } from "../follow/outage.ts";
import { registerJob } from "../follow/register_job.ts";
import { isFinal, reasonText } from "../print/status_text.ts";
import { ProblemLines, TextLines } from "./text_lines.ts";
import { CONFIRMATION } from "./scripts.ts";

/** The grace period at the end of an interrupted copy, in milliseconds: the job removes what it has unpacked. */
const CLEAN_UP_MS = 20_000;

type Calls = Pick<
  JobWorkerClient,
  "Register" | "Start" | "GetOutput" | "Signal" | "Stop" | "Remove" | "Input" | "Status"
>;

/** Options of every copy. */
export interface CopyJobOptions {
  readonly outages: Outages;
  /** Ends the copy. */
  readonly signal: AbortSignal;
  /** The fields of the job besides its command. */
  readonly job: Sent<JobRequest>;
}

/** A job of a copy. Disposal stops it if it runs, and removes it. */
export class CopyJob implements AsyncDisposable {
  readonly id: string;
  readonly #calls: Calls;
  readonly #context: Context;
  readonly #options: CopyJobOptions;
  readonly #started = Promise.withResolvers<void>();
  /** The lines that the job wrote to stderr. */
  readonly problems = new ProblemLines();
  #isFinal = false;

  private constructor(context: Context, options: CopyJobOptions, id: string) {
    this.#context = context;
    this.#calls = context.calls;
    this.#options = options;
    this.id = id;
    this.#started.promise.catch(() => {});
  }

  /** Registers the job, which runs sh(1) with these arguments. */
  static async register(context: Context, options: CopyJobOptions, shellArgs: readonly string[]): Promise<CopyJob> {
    const request = { ...options.job, command: "sh", args: [...shellArgs] };
    const { id } = await registerJob(context.calls, request, options.outages, options.signal);
    return new CopyJob(context, options, id);
  }

  /** Resolves when the job runs or has ended. Rejects when it cannot be started. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /**
   * Starts the job and reads its output to the end, verified.
   *
   * @param onStdout gets what the job writes to stdout
   * @param ended aborts when the copy has failed elsewhere
   * @returns the final status
   */
  async run(onStdout: (data: Uint8Array) => Promise<void>, ended: AbortSignal): Promise<JobStatus> {
    const { id } = this;
    const { outages } = this.#options;
    const over = new AbortController();
    const signal = AbortSignal.any([ended, over.signal]);
    let startError: unknown;
    const starting = (async () => {
      for await (const { state } of followStatus(() => this.#calls.Start({ id }, { signal }), outages, signal)) {
        if (state === "STATE_INITIAL" || state === "STATE_STARTING") continue;
        this.#started.resolve();
      }
    })().catch((error) => {
      startError ??= error;
      this.#started.reject(error);
      over.abort();
    });
    const lines = new TextLines((line) => this.problems.add(line));
    const write = async ({ stream, data }: JobOutput) => {
      if (stream === "STREAM_STDOUT") await onStdout(data);
      else if (stream === "STREAM_STDERR") lines.add(data);
    };
    try {
      const { status } = await followOutput(this.#calls, { request: { id, follow: true }, signal, outages }, write);
      lines.end();
      if (status === null || !isFinal(status.state)) {
        throw new Error(`The output of job "${id}" ended before the job did`);
      }
      this.#isFinal = true;
      return status;
    } catch (error) {
      throw startError ?? error;
    } finally {
      over.abort();
      await starting;
    }
  }

  /** Confirms to a receiver that it got what was sent. */
  async confirm(): Promise<void> {
    const { outages, signal } = this.#options;
    const options = { deadlineMs: CALL_DEADLINE_MS, signal };
    const call = () => this.#calls.Signal({ id: this.id, signal: CONFIRMATION }, options);
    // The job may have had the first of two such signals, and ended by it.
    await retryUntilAnswered(call, outages, signal).catch((error) => {
      if (callStatus(error) !== "FAILED_PRECONDITION") throw error;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { id } = this;
    const options = { deadlineMs: CALL_DEADLINE_MS + CLEAN_UP_MS };
    try {
      if (!this.#isFinal) await this.#calls.Stop({ id, grace_ms: CLEAN_UP_MS }, options);
      await this.#calls.Remove({ id }, options);
    } catch (error) {
      const sentence = `Cannot remove job "${id}" of the copy: ${errorMessage(error)}`;
      await this.#context.print.note(sentence);
    }
  }
}

/** Returns why a job of a copy failed, as the end of a sentence; undefined when it did not. */
export function failureOf(status: JobStatus, problems: ProblemLines): string | undefined {
  if (status.state === "STATE_EXITED" && status.exit_code === 0 && status.reason === "REASON_EXITED") return undefined;
  if (status.state === "STATE_FAILED" || status.state === "STATE_LOST") return status.error;
  const reason = reasonText(status);
  const text = problems.toString();
  return [text, reason].filter((part) => part !== "").join("; ") || `the job of the copy ended with ${endText(status)}`;
}

function endText({ exit_code, signal }: JobStatus): string {
  return exit_code === undefined ? `signal ${signal}` : `exit code ${exit_code}`;
}

/** Returns the request of a copy's job. */
export function copyRequest(
  direction: "from" | "to",
  path: string,
  flags: { readonly user?: string; readonly group?: string; readonly label?: Record<string, string> },
): Sent<JobRequest> {
  const { user, group, label } = flags;
  // A label has at most 256 characters.
  const labels = { "teleport.cp": `${direction} ${path}`.slice(0, 256), ...label };
  // The server may place jobs on other machines. Paths are those of the server itself.
  return { labels, input: direction === "to", engine: "local", ...defined({ user, group }) };
}
