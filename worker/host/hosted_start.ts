/** Starts a job on a job host: stores the intent, requests the start, and repeats a request that may not have arrived. */
import { defined } from "../../base/defined.ts";
import { HostUnavailableError, SupervisorClosedError, TeleportError } from "../errors.ts";
import type { StatusHistory } from "../job/history.ts";
import type { StoredProcess } from "../job/status_details.ts";
import { isInitialState, isLaterState, type ProcessStatus } from "../process/state.ts";
import type { HostConnection } from "./host_connection.ts";
import type { HostedJobParts } from "./hosted_job_parts.ts";
import type { HostLink } from "./link.ts";

/** A request without an answer, and the link that it went over. */
interface StartRequest {
  readonly link: HostLink | undefined;
  readonly answer: Promise<void>;
}

/** The start of one job, and the host that has it. */
export class HostedStart {
  /** The facts that identify the processes of the job. */
  process: StoredProcess | undefined;
  readonly #parts: HostedJobParts;
  readonly #history: StatusHistory;
  readonly #linkTo: (action: string) => HostLink;
  readonly #onArrived: () => void;
  #host: HostConnection | undefined;
  /** Resolves when the host knows of the start, or has refused it. */
  #begun: Promise<void> | undefined;
  #request: StartRequest | undefined;
  /** False while a start was sent and nobody knows whether it has arrived. */
  #isKnown = true;

  /**
   * @param history the statuses of the job, which this adds to
   * @param linkTo returns the link to the host of the running job
   * @param onArrived called when the first host that got the start has answered
   */
  constructor(
    parts: HostedJobParts,
    history: StatusHistory,
    linkTo: (action: string) => HostLink,
    onArrived: () => void,
  ) {
    this.#parts = parts;
    this.#history = history;
    this.#linkTo = linkTo;
    this.#onArrived = onArrived;
  }

  /** The host of the job. Undefined before the start. */
  get host(): HostConnection | undefined {
    return this.#host;
  }

  /** True when a start was sent and nobody knows whether it has arrived. */
  get isUnknown(): boolean {
    return !this.#isKnown && this.#history.latest.state === "STARTING";
  }

  /** Continues with a job that an earlier supervisor has started on a host. */
  adopt(host: HostConnection, process: StoredProcess | undefined): void {
    this.#host = host;
    this.process = process;
    this.#isKnown = false;
  }

  /** Notes that the start has arrived. */
  noteKnown(): void {
    this.#isKnown = true;
  }

  /** Waits until the host knows of the start. A job that no machine of an engine has needs no answer, which may be late. */
  async known(): Promise<void> {
    if (this.#host?.isUnclaimed !== true) await this.#begun;
  }

  /**
   * Starts the job on the host for new jobs. The intent is stored before the host gets the start.
   *
   * When the host cannot be reached, nobody knows whether it got the start. The job stays in `STARTING`, because it may
   * run. The start is repeated when the host can be reached again, which is safe: a host starts an id once.
   *
   * @throws {HostExhaustedError} or {NotEnforceableError} when the host refuses; the job goes back to `INITIAL`
   * @throws {HostUnavailableError} when the host cannot be reached, and no next host has the job
   */
  async begin(by: string | undefined): Promise<void> {
    if (!isInitialState(this.#history.latest.state)) return await this.#begun;
    const requestedBy = by === undefined ? undefined : { startedBy: by };
    const status = { state: "STARTING", startedAt: new Date(), ...defined({ requestedBy }) } as const;
    this.#store(status, by);
    this.#history.add(status);
    await this.#firstRequest().catch((error) => this.#afterLoss(error));
  }

  /**
   * Starts the job on the next host, because its host had ended in order before the start arrived. The job stays in
   * `STARTING`: a supervisor that dies here leaves it to the next one. When the start cannot be stored, or no host can be
   * reached, the job goes back to `INITIAL`.
   */
  async again(): Promise<void> {
    const status = this.#history.latest;
    try {
      this.#store(status, status.requestedBy?.startedBy);
    } catch (error) {
      this.#takeBack();
      throw error;
    }
    await this.#firstRequest();
  }

  /**
   * Waits for what becomes of a start whose host was lost before its answer. The start may have arrived, or is made again.
   *
   * @throws the error, unless the start is known to have arrived
   */
  async #afterLoss(error: unknown): Promise<void> {
    if (!(error instanceof HostUnavailableError)) throw error;
    await this.#host?.replaced();
    await this.#request?.answer;
    if (isInitialState(this.#history.latest.state) || this.isUnknown) throw error;
  }

  /** Stores the intent to start on the host for new jobs. */
  #store(status: ProcessStatus, by: string | undefined): void {
    const { bootId, newHost, record } = this.#parts;
    const host = newHost();
    const { instance, placement } = host;
    const process = { bootId, host: instance, ...defined({ placement }) };
    record(status, { process, ...defined({ by }) });
    this.#host = host;
    this.process = process;
  }

  async #firstRequest(): Promise<void> {
    await this.request();
    this.#onArrived();
  }

  /**
   * Requests a start whose intent is stored, now or again. Calls at the same time make one request over one link: a host
   * may refuse one request and accept another. An engine may not have answered yet when the host comes that it has placed.
   */
  request(): Promise<void> {
    const link = this.#host?.link;
    if (this.#request !== undefined && this.#request.link === link) return this.#request.answer;
    const request = {
      link,
      answer: this.#send().finally(() => {
        if (this.#request === request) this.#request = undefined;
      }),
    };
    this.#request = request;
    this.#begun = request.answer.catch(() => {}); // Watchers wait for it. The caller gets the error.
    return request.answer;
  }

  async #send(): Promise<void> {
    const by = this.#history.latest.requestedBy?.startedBy;
    this.#isKnown = false;
    try {
      await this.#linkTo("be started").start({
        spec: this.#parts.hostSpec(),
        ...this.#parts.startOptions(),
        ...defined({ by }),
      });
      this.#isKnown = true;
    } catch (error) {
      // The job has begun meanwhile, over another link.
      if (isLaterState(this.#history.latest.state, "STARTING")) return;
      // After any other error the job may run. A refusal by a machine of an engine is the end of the job.
      const isRefused = error instanceof TeleportError && !(error instanceof HostUnavailableError);
      if (isRefused && this.#host?.placement?.run === undefined) this.#takeBack();
      // The next start finds another host.
      if (error instanceof SupervisorClosedError) throw new HostUnavailableError("it ends and starts no jobs");
      throw error;
    }
  }

  /** Goes back to `INITIAL`. */
  #takeBack(): void {
    if (this.#history.latest.state !== "STARTING") return;
    this.#isKnown = true;
    this.#parts.record({ state: "INITIAL" }, defined({ process: this.process }));
    this.#history.add({ state: "INITIAL" });
    this.#host = undefined;
  }
}
