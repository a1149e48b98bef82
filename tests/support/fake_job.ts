/** A server with one job, for the tests of `teleport run`. */
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { exited, jobStatus, outputOf, running } from "./cli_messages.ts";
import { untilAborted } from "./fake_io.ts";

/** A server with one job, which ends when the test says so. */
export class FakeJob {
  readonly ended = Promise.withResolvers<JobStatus>();
  readonly started = Promise.withResolvers<void>();
  readonly signals: string[] = [];
  /** How many streams are open. */
  open = 0;
  onSignal: (signal: string) => void = () => {};
  output: Parameters<typeof outputOf>[0] = [];

  readonly calls: Partial<JobWorkerClient> = {
    Register: () => Promise.resolve(jobStatus()),
    Start: (_, options) => this.#start(options?.signal),
    GetOutput: (_, options) => this.#output(options?.signal),
    Signal: ({ signal }) => {
      this.signals.push(signal ?? "");
      this.onSignal(signal ?? "");
      return Promise.resolve(running());
    },
  };

  async *#start(signal: AbortSignal | undefined) {
    this.open += 1;
    try {
      yield jobStatus({ state: "STATE_STARTING" });
      yield running();
      this.started.resolve();
      yield await Promise.race([this.ended.promise, untilAborted(signal)]);
    } finally {
      this.open -= 1;
    }
  }

  async *#output(signal: AbortSignal | undefined) {
    this.open += 1;
    try {
      const chunks = await outputOf(this.output, exited(0));
      yield* chunks.slice(0, -1);
      const status = await Promise.race([this.ended.promise, untilAborted(signal)]);
      yield* (await outputOf(this.output, status)).slice(-1);
    } finally {
      this.open -= 1;
    }
  }
}
