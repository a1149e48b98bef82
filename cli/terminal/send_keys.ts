/** Sends keys to a job that others may write to as well. One client writes at a time; the others watch. */
import { sleep } from "../../base/backoff.ts";
import { errorCode } from "../../base/error_code.ts";
import type { JobWorkerClient } from "../../proto/service.ts";
import { CALL_DEADLINE_MS } from "../context.ts";
import { callStatus } from "../exit_code.ts";
import { type Outages, retryUntilAnswered } from "../follow/outage.ts";
import { sendInput } from "../follow/send_input.ts";
import type { Print } from "../print/print.ts";
import type { KeyInput } from "./key_input.ts";

/** The time from a refusal to the next try, in milliseconds. It bounds the calls of one watcher. */
const REFUSED_FOR_MS = 500;

/** The job, and the parts that the sending needs. */
export interface SendKeysOptions {
  readonly id: string;
  readonly outages: Outages;
  /** Ends the sending. */
  readonly signal: AbortSignal;
  readonly print: Pick<Print, "note">;
  readonly nowMs: () => number;
}

/**
 * Sends keys until they end or the job takes no more. The job's input stays open. While another client writes, keys are
 * refused and dropped. A later key is tried at the earliest 500 ms after the refusal.
 *
 * @throws the error of a call when waiting does not help
 */
export async function sendKeys(
  calls: Pick<JobWorkerClient, "Input" | "Status">,
  keys: KeyInput,
  { id, outages, signal, print, nowMs }: SendKeysOptions,
): Promise<void> {
  let refusedMs: number | undefined;
  while (!keys.isOver && !signal.aborted) {
    if (refusedMs !== undefined) {
      await keys.whenTyped(signal);
      const waitMs = refusedMs + REFUSED_FOR_MS - nowMs();
      // A rejection only means that the signal has aborted.
      if (waitMs > 0) await sleep(waitMs, signal).catch(() => {});
      if (signal.aborted) return;
    }
    using lease = keys.lease();
    try {
      const { input_bytes: offset } = await retryUntilAnswered(
        () => calls.Status({ id }, { signal, deadlineMs: CALL_DEADLINE_MS }),
        outages,
        signal,
        false,
      );
      return void await sendInput(calls, lease, { id, offset, endsInput: false, outages, signal });
    } catch (error) {
      if (signal.aborted) return;
      const code = errorCode(error);
      if (code === "JOB_NOT_RUNNING" || code === "INPUT_CLOSED") return;
      // Another client wrote after the answer to Status.
      if (code === "INPUT_OFFSET") continue;
      if (callStatus(error) === "PERMISSION_DENIED") {
        return await print.note("You may not write to this job: this terminal only watches");
      }
      if (code !== "INPUT_BUSY") throw error;
      if (refusedMs === undefined) {
        await print.note("Another client writes to this job: this one watches, and may type when the other has left");
      }
      refusedMs = nowMs();
      keys.discard();
    }
  }
}
