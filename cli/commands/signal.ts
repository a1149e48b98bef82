/** `teleport signal`: sends a signal to a job's process group. */
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { statusJson } from "../print/message_json.ts";

/** Sends the signal. Prints nothing but, as JSON, the status: what the job makes of the signal is not known yet. */
export async function signal({ calls, print }: Context, id: string, name: string): Promise<number> {
  const status = await calls.Signal({ id, signal: name }, { deadlineMs: CALL_DEADLINE_MS });
  if (print.json) await print.record(statusJson(status));
  return EXIT_CODE.OK;
}
