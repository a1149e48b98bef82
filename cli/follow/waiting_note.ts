/** Tells the person at a terminal what a job waits for that does not begin. */
import { sleep } from "../../base/backoff.ts";
import type { JobWorkerClient } from "../../proto/service.ts";
import { CALL_DEADLINE_MS } from "../context.ts";
import type { Io } from "../io.ts";
import type { Print } from "../print/print.ts";

/** How long a job may take to begin before it is worth a word, in milliseconds. A queue needs a moment to give a reason. */
const PATIENCE_MS = 2_000;

/** The parts of a command that the note needs. */
export interface NoteContext {
  readonly calls: Pick<JobWorkerClient, "Status">;
  readonly print: Pick<Print, "note">;
  readonly io: Pick<Io, "stderr">;
}

/**
 * Prints once what the job waits for, if it has not begun after a moment and stderr is a terminal. Never rejects, because
 * the command works without the note.
 *
 * @param begun aborts when the job runs or has ended
 */
export async function noteWait(
  { calls, print, io }: NoteContext,
  id: string,
  begun: AbortSignal,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  if (!io.stderr.isTerminal()) return;
  try {
    await sleep(patienceMs, begun);
    const { state, placement } = await calls.Status({ id }, { signal: begun, deadlineMs: CALL_DEADLINE_MS });
    const reason = placement?.waits_for ?? "";
    if (state === "STATE_STARTING" && reason !== "") await print.note(`Job "${id}" waits for a node: ${reason}`);
  } catch {
    // The job has begun, or the server does not answer: the command itself says so.
  }
}
