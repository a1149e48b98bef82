/** Acts after the end of a job that `run` has followed: a command of the user, and the removal of the job. */
import { errorMessage } from "../../base/error_message.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { jobExitCode } from "../exit_code.ts";
import { enumName } from "../print/message_json.ts";
import { isFinal } from "../print/status_text.ts";

/** Runs the user's command with sh(1), and waits for it. Its exit code changes nothing. */
export async function runOnEnd({ io, print }: Context, command: string, status: JobStatus): Promise<void> {
  try {
    const code = await io.runShell(command, {
      TELEPORT_JOB_ID: status.id,
      TELEPORT_JOB_NAME: status.name,
      TELEPORT_JOB_STATE: enumName(status.state),
      TELEPORT_JOB_SIGNAL: status.signal,
      TELEPORT_EXIT_CODE: String(jobExitCode(status)),
    });
    if (code !== 0) await print.note(`The command of --on-end ended with exit code ${code}`);
  } catch (error) {
    await print.note(`Cannot run the command of --on-end: ${errorMessage(error)}`);
  }
}

/**
 * Removes the job. If it runs, it is stopped before.
 *
 * @param graceMs the time between SIGTERM and SIGKILL, in milliseconds. Absent: the job's own
 */
export async function removeJob({ calls, print }: Context, id: string, graceMs?: number): Promise<void> {
  try {
    const { state } = await calls.Status({ id }, { deadlineMs: CALL_DEADLINE_MS });
    if (!isFinal(state) && state !== "STATE_INITIAL") {
      await calls.Stop(graceMs === undefined ? { id } : { id, grace_ms: graceMs });
    }
    await calls.Remove({ id }, { deadlineMs: CALL_DEADLINE_MS });
  } catch (error) {
    await print.note(`Cannot remove job "${id}": ${errorMessage(error)}: "teleport rm ${id}" removes it`);
  }
}
