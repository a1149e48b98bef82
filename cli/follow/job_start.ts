/** The request to start a job, and what is known of the job when the command that sent the request fails. */
import { errorCode } from "../../base/error_code.ts";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { UnreachableReason } from "../../rpc/client/client.ts";
import { callStatus, unreachableReason } from "../exit_code.ts";
import { followStatus } from "./follow_status.ts";
import type { Outages } from "./outage.ts";

/** The statuses with which a server refuses a start before it does anything. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "NOT_FOUND",
  "INVALID_ARGUMENT",
  "FAILED_PRECONDITION",
  "RESOURCE_EXHAUSTED",
  "UNIMPLEMENTED",
]);

/** The reasons for which a request may have been sent although nobody answered it. All others prevent the sending. */
const MAY_BE_SENT: ReadonlySet<unknown> = new Set<UnreachableReason>(["LOST", "TIMEOUT", "UNKNOWN"]);

/** The start of one job, which is requested again after an outage. */
export class JobStart {
  readonly id: string;
  #mayStart = false;
  #hasBegun = false;

  constructor(id: string) {
    this.id = id;
  }

  /** False while every request so far was refused or not sent, so that the job does not start. */
  get mayStart(): boolean {
    return this.#mayStart;
  }

  /** True when the job was seen to run or to have ended. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Requests the start and yields the statuses of the job to its end, through outages of the server. */
  statuses(
    calls: Pick<JobWorkerClient, "Start">,
    outages: Outages,
    signal?: AbortSignal,
  ): AsyncGenerator<JobStatus, void, void> {
    return followStatus(() => this.#request(calls, signal), outages, signal);
  }

  async *#request(
    calls: Pick<JobWorkerClient, "Start">,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<JobStatus, void, void> {
    const didStart = this.#mayStart;
    // Nobody knows it until the answer.
    this.#mayStart = true;
    let isAnswered = false;
    try {
      for await (const status of calls.Start({ id: this.id }, signal === undefined ? {} : { signal })) {
        isAnswered = true;
        this.#hasBegun ||= status.state !== "STATE_INITIAL" && status.state !== "STATE_STARTING";
        yield status;
      }
    } catch (error) {
      if (!isAnswered && !mayHaveArrived(error)) this.#mayStart = didStart;
      throw error;
    }
  }
}

/** Returns whether a failed start may have an effect, also later. */
function mayHaveArrived(error: unknown): boolean {
  // The server stores a start before it carries it out.
  if (errorCode(error) === "NOT_RECORDED") return false;
  const reason = unreachableReason(error);
  return reason === undefined ? !REFUSALS.has(callStatus(error)) : MAY_BE_SENT.has(reason);
}

/** Describes a job that was not seen to start, and the next step. */
export function notStartedText({ id, mayStart }: JobStart): string {
  return mayStart
    ? `Job "${id}" was not seen to start and may still start: "teleport status ${id}" shows it, ` +
      `"teleport stop ${id}" stops it`
    : `Job "${id}" was registered, but not started: "teleport start ${id}" starts it, "teleport rm ${id}" removes it`;
}
