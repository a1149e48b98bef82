/** Cancels a job that is over, in case its engine still has it. */
import { Backoff, sleep } from "../../base/backoff.ts";
import { errorMessage } from "../../base/error_message.ts";
import type { Engine, EngineRef } from "./engine.ts";

/** How often it is tried when the engine does not answer. A host of such a job is refused anyway. */
const ATTEMPTS = 6;
const FIRST_RETRY_MS = 1_000;

/**
 * Cancels a job that is over. Resolves when the engine has answered, when the signal aborts, or after some attempts.
 *
 * @returns why the engine could not be asked; undefined when it was, or when the signal aborted
 */
export async function cancelOver(engine: Engine, ref: EngineRef, signal: AbortSignal): Promise<string | undefined> {
  const backoff = new Backoff(FIRST_RETRY_MS);
  for (let left = ATTEMPTS; !signal.aborted; left--) {
    try {
      await engine.cancel(ref, "KILL");
      return undefined;
    } catch (error) {
      if (left === 1) return errorMessage(error);
    }
    await sleep(backoff.nextMs(), signal).catch(() => {}); // The loop ends when the signal aborts.
  }
  return undefined;
}
