/** `teleport signal`: sends a signal to a job's process group. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { resolveJob } from "../follow/resolve.ts";
import { statusJson } from "../print/message_json.ts";

export const declare: Declare = (command, runner) => {
  command.action(async (id: string, name: string, _flags: unknown, self: Command) => {
    await runner.call(self, (context) => signal(context, id, name));
  });
};

/** Sends the signal. Prints the status as JSON only, because the effect of the signal is not known yet. */
async function signal({ calls, print }: Context, text: string, name: string): Promise<number> {
  const id = await resolveJob(calls, text);
  const status = await calls.Signal({ id, signal: name }, { deadlineMs: CALL_DEADLINE_MS });
  if (print.isJson) await print.jsonLine(statusJson(status));
  return EXIT_CODE.OK;
}
