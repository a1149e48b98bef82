/** Prints the output of several jobs together, each verified as if it were alone. */
import { errorMessage } from "../../base/error_message.ts";
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { JobOutput, JobStatus, WatchJobsRequest } from "../../proto/teleport/v1/job_worker.ts";
import { errorExitCode, EXIT_CODE } from "../exit_code.ts";
import { PrefixedLines } from "../print/prefixed_lines.ts";
import { BrokenPipeError, type Print } from "../print/print.ts";
import { unseenEnd } from "../print/status_text.ts";
import { followJobs } from "./follow_jobs.ts";
import { followOutput } from "./follow_output.ts";
import type { Outages } from "./outage.ts";
import type { OutputRequest } from "./output_check.ts";

/** The number of outputs at a time, below the 100 streams that HTTP/2 servers commonly allow on a connection. */
const MAX_AT_ONCE = 64;

/** The characters of an id that name a job without a name. More, where two would be the same. */
const SHORT_ID_CHARS = 8;

/** The output of each job. */
export interface ManyOutputsOptions {
  readonly print: Print;
  /** The selection of the output. */
  readonly request: Omit<OutputRequest, "id">;
  readonly outages: Outages;
  /** Makes the function that changes the chunks of one job for the reader. */
  readonly transform: () => (output: JobOutput) => JobOutput;
}

/** The outputs of several jobs. */
export class ManyOutputs {
  readonly #calls: Pick<JobWorkerClient, "GetOutput">;
  readonly #options: ManyOutputsOptions;
  readonly #lines: PrefixedLines;
  readonly #ids = new Set<string>();
  readonly #names = new Set<string>();
  readonly #active = new Set<Promise<void>>();
  #exitCode: number = EXIT_CODE.OK;
  #failure: unknown;

  constructor(calls: Pick<JobWorkerClient, "GetOutput">, options: ManyOutputsOptions) {
    this.#calls = calls;
    this.#options = options;
    this.#lines = new PrefixedLines(options.print);
  }

  /** Names the jobs that are known, so that their lines begin in one column. */
  align(jobs: readonly JobStatus[]): void {
    for (const job of jobs) this.#lines.align(shortNameOf(job));
  }

  /** Begins to print the output of a job, once. Waits while there are too many. */
  async add(job: JobStatus): Promise<void> {
    if (this.#ids.has(job.id)) return;
    this.#ids.add(job.id);
    while (this.#active.size >= MAX_AT_ONCE) await Promise.race(this.#active);
    this.#throwFailure();
    const printing = this.#print(job).finally(() => this.#active.delete(printing));
    this.#active.add(printing);
  }

  /**
   * Waits for the end of all outputs.
   *
   * @returns 0, or the exit code of the first output that could not be read whole
   * @throws the error of a write
   */
  async end(): Promise<number> {
    await Promise.all(this.#active);
    this.#throwFailure();
    return this.#exitCode;
  }

  /** Rejects when an output cannot be written. Never resolves. */
  async untilFailure(): Promise<never> {
    await this.#failed.promise;
    throw this.#failure;
  }

  readonly #failed = Promise.withResolvers<void>();

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #print(job: JobStatus): Promise<void> {
    const { print, request, outages, transform } = this.#options;
    const name = this.#nameOf(job);
    const lines = this.#lines.add({ id: job.id, name });
    const change = print.isJson ? (output: JobOutput) => output : transform();
    try {
      const { id } = job;
      const options = { request: { ...request, id }, ...(request.follow ? { outages } : {}) };
      const { status } = await followOutput(this.#calls, options, async (output) => {
        if (print.isJson || output.end === null) await lines.write(change(output));
        else if (output.end.dropped_bytes > 0) {
          await print.note(`${name}: The server's log lacks ${output.end.dropped_bytes} bytes: they were dropped`);
        }
      });
      await lines.end();
      const sentence = request.follow ? unseenEnd(status) : undefined;
      if (sentence !== undefined) await print.note(`${name}: ${sentence}`);
    } catch (error) {
      if (error instanceof BrokenPipeError) {
        this.#failure ??= error;
        this.#failed.resolve();
        return;
      }
      await lines.end().catch(() => {});
      await print.note(`${name}: ${errorMessage(error)}`);
      if (this.#exitCode === EXIT_CODE.OK) this.#exitCode = errorExitCode(error);
    }
  }

  #nameOf(job: JobStatus): string {
    const short = shortNameOf(job);
    const name = this.#names.has(short) ? job.id : short;
    this.#names.add(name);
    return name;
  }
}

function shortNameOf({ id, name }: JobStatus): string {
  return name || id.slice(0, SHORT_ID_CHARS);
}

/**
 * Prints the output of all jobs that match, and of those that start later, until the command ends.
 *
 * @throws the error of a write, or of a call when waiting does not help
 */
export async function followMatching(
  calls: Pick<JobWorkerClient, "WatchJobs">,
  request: Sent<WatchJobsRequest>,
  outputs: ManyOutputs,
  outages: Outages,
): Promise<never> {
  const over = new AbortController();
  const adding = (async (): Promise<never> => {
    for await (const { kind, job } of followJobs(calls, request, outages, over.signal)) {
      if (job === null || kind === "JOB_EVENT_KIND_REMOVED" || job.state === "STATE_INITIAL") continue;
      await outputs.add(job);
    }
    throw new Error("The watch of the jobs ended");
  })();
  try {
    return await Promise.race([adding, outputs.untilFailure()]);
  } finally {
    over.abort();
    await adding.catch(() => {});
  }
}
