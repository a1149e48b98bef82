/** Submits, stops and cancels jobs of an engine while their hosts have no link. */
import { AtOnce } from "../../base/at_once.ts";
import { defined } from "../../base/defined.ts";
import { errorMessage } from "../../base/error_message.ts";
import { HostUnavailableError } from "../errors.ts";
import type { HostedJob } from "../host/hosted_job.ts";
import type { StopOptions } from "../process/options.ts";
import { cancelOver } from "./cancel_over.ts";
import { EngineRefusedError, EngineUnavailableError } from "./engine.ts";
import { needsOf } from "./needs.ts";
import { failedEnd, type NeverStarted } from "./placed_ends.ts";
import type { PlacedHost } from "./placed_host.ts";
import type { Placing } from "./placing.ts";
import { stopSilent } from "./stop_silent.ts";

/** The most submissions at once. Questions and cancellations must not wait for hundreds of them. */
const MAX_SUBMISSIONS = 3;

/** Options of the calls. */
export interface PlacedCallsOptions {
  readonly placing: Placing;
  /** The time from the engine's TERM to its KILL in addition to the grace period, in milliseconds. */
  readonly settleMs: number;
  /** Called when the engine was asked to do something. */
  readonly onAsked: () => void;
  /** Called when the engine refuses a job. It was not submitted. */
  readonly onRefused: (host: PlacedHost) => void;
  readonly onWarning: (message: string) => void;
  /** Ends the work in the background. */
  readonly signal: AbortSignal;
}

/** The calls to an engine about its jobs. */
export class PlacedCalls {
  readonly #options: PlacedCallsOptions;
  readonly #submissions = new AtOnce(MAX_SUBMISSIONS);

  constructor(options: PlacedCallsOptions) {
    this.#options = options;
  }

  /**
   * Submits a job whose start is stored. Calls at the same time make one submission.
   *
   * @throws {EngineRefusedError} when the engine does not take the job
   * @throws {EngineUnavailableError} when nobody knows whether the engine has taken it
   * @throws {HostUnavailableError} when a host has begun, so that no other one may start the job
   */
  submit(host: PlacedHost, job: HostedJob): Promise<void> {
    // A host that has claimed the job gets the start over its next link.
    if (!host.isUnclaimed) return Promise.reject(new HostUnavailableError(host.unreachableText));
    return host.submitting ??= this.#submissions.run(() => this.#submit(host, job))
      .finally(() => host.submitting = undefined);
  }

  async #submit(host: PlacedHost, job: HostedJob): Promise<void> {
    const { placing: { engine, gate, defaults }, onAsked, onRefused, signal } = this.#options;
    if (host.isOver) return;
    if (signal.aborted) throw new EngineUnavailableError("the server ends"); // The next one submits the job.
    const token = await gate.token(host.instance);
    let isRefused = false;
    try {
      host.submitted(await engine.submit(host.instance, token, needsOf(job.spec, defaults)));
      if (!job.isFinalState) job.recordPlacement();
    } catch (error) {
      isRefused = error instanceof EngineRefusedError;
      if (isRefused) onRefused(host);
      throw error;
    } finally {
      // The cancel of a job that was stopped meanwhile has not found it.
      if (host.isOver && !isRefused) this.cancel(host);
      onAsked();
    }
  }

  /** Stores the engine's number of a job when the answer to its submission was lost. */
  recordHandle({ placement: { handle } }: PlacedHost, job: HostedJob): void {
    if (job.process?.placement?.handle === handle) return;
    try {
      job.recordPlacement();
    } catch (error) {
      this.#options.onWarning(`Cannot store the number of job "${job.id}", which is ${handle}: ${errorMessage(error)}`);
    }
  }

  /** Stops a job. A job that no host has begun ends at once. */
  stop(host: PlacedHost, job: HostedJob, options: StopOptions): void {
    const { placing: { engine }, settleMs, onAsked, onWarning, signal } = this.#options;
    if (host.isUnclaimed) {
      const { by, reason = "STOPPED" } = options;
      const error = `The job was stopped while it waited for a machine of ${engine.name}`;
      return this.fail(host, job, { reason, error, ...defined({ by }) });
    }
    const killMs = (options.graceMs ?? job.graceMs) + settleMs;
    void stopSilent({ engine, host, job, options, killMs, onAsked, signal }).catch((error) => {
      if (!signal.aborted) onWarning(`Cannot stop job "${job.id}": ${errorMessage(error)}`);
    });
  }

  /** Ends a job that was never started. No host is accepted from now on. */
  fail(host: PlacedHost, job: HostedJob, why: NeverStarted): void {
    host.isOver = true;
    job.apply(failedEnd(why));
  }

  /** Cancels a job that is over, in the background. */
  cancel({ ref, job }: PlacedHost): void {
    const { placing: { engine }, onWarning, signal } = this.#options;
    void cancelOver(engine, ref, signal).then((why) => {
      if (why !== undefined) onWarning(`Cannot cancel job "${job}", which is over: ${why}`);
    });
  }
}
