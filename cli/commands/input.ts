/** `teleport input`: sends the standard input to a running job. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { Outages } from "../follow/outage.ts";
import { resolveJob, retried } from "../follow/resolve.ts";
import { sendInput } from "../follow/send_input.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";

const NOTES = `
Sends as fast as the job reads. A job has one sender at a time. After an outage it continues where it was.
  pg_dump shop | teleport input ID
  echo 'first' | teleport input --keep-open ID

Exit code: 1 when the job ended or closed its input before it took everything.`;

interface InputFlags extends RetryFlags {
  readonly keepOpen?: true;
}

export const declare: Declare = (command, runner) => {
  addRetryOption(command)
    .option("--keep-open", "leave the job's input open for more")
    .addHelpText("after", NOTES)
    .action(async (id: string, flags: InputFlags, self: Command) => {
      await runner.call(self, (context) => input(context, id, flags));
    });
};

/**
 * Sends the standard input after everything that the job was sent before. As JSON it prints the totals, else nothing.
 *
 * @throws {Error} when the standard input cannot be read to its end. The bytes before were sent and end the job's input
 * @returns 1 when the job ended or closed its input before it took everything
 */
async function input({ calls, io, print }: Context, text: string, flags: InputFlags): Promise<number> {
  const outages = new Outages(print, flags.retryFor);
  const id = await resolveJob(retried(calls, outages), text);
  const { input_bytes: offset } = await calls.Status({ id }, { deadlineMs: CALL_DEADLINE_MS });
  await outages.answered();
  const { inputBytes, isClosed, isWhole, readError } = await sendInput(calls, io.stdin, {
    id,
    offset,
    endsInput: !flags.keepOpen,
    outages,
  });
  const sentBytes = inputBytes - offset;
  if (print.isJson) {
    await print.jsonLine({ id, sent_bytes: sentBytes, input_bytes: inputBytes, input_closed: isClosed });
  }
  if (readError !== undefined) throw readError;
  if (isWhole) return EXIT_CODE.OK;
  await print.note(`Job "${id}" took ${sentBytes} bytes and no more: it has ended or closed its input`);
  return EXIT_CODE.FAILED;
}
