/** `teleport status`: prints all that is known of a job now. */
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { statusJson } from "../print/message_json.ts";
import { statusLines } from "../print/status_text.ts";

/** Shows the job. */
export async function status({ calls, print }: Context, id: string): Promise<number> {
  const now = await calls.Status({ id }, { deadlineMs: CALL_DEADLINE_MS });
  await (print.json ? print.record(statusJson(now)) : print.line(statusLines(print, now).join("\n")));
  return EXIT_CODE.OK;
}
