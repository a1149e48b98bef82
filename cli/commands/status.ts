/** `teleport status`: prints the status of a job in full. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { statusJson } from "../print/message_json.ts";
import { statusLines } from "../print/status_text.ts";

export const declare: Declare = (command, runner) => {
  command.action(async (id: string, _flags: unknown, self: Command) => {
    await runner.call(self, (context) => status(context, id));
  });
};

async function status({ calls, print }: Context, id: string): Promise<number> {
  const now = await calls.Status({ id }, { deadlineMs: CALL_DEADLINE_MS });
  await (print.isJson ? print.jsonLine(statusJson(now)) : print.line(statusLines(print, now).join("\n")));
  return EXIT_CODE.OK;
}
