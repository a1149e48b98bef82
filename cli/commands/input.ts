/** `teleport input`: sends the standard input to a running job. */
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { Outages } from "../follow/outage.ts";
import { sendInput } from "../follow/send_input.ts";

/** Options of the command. */
export interface InputCommandOptions {
  /** Leaves the job's input open at the end, for what comes later. */
  readonly keepOpen: boolean;
  /** How long an outage of the server may last, in milliseconds. */
  readonly retryForMs: number | undefined;
}

/**
 * Sends what is on the standard input behind what the job was sent before. Prints nothing but, as JSON, how much there is
 * now.
 *
 * @throws {Error} when the standard input cannot be read to its end. What was read was sent, and ends the job's input
 * @returns 1 when the job ended or closed its input before it had all
 */
export async function input(
  { calls, io, print }: Context,
  id: string,
  { keepOpen, retryForMs }: InputCommandOptions,
): Promise<number> {
  const outages = new Outages(print, retryForMs);
  const { input_bytes: offset } = await calls.Status({ id }, { deadlineMs: CALL_DEADLINE_MS });
  await outages.answered();
  const { inputBytes, isClosed, isWhole, readError } = await sendInput(calls, io.stdin, {
    id,
    offset,
    ends: !keepOpen,
    outages,
  });
  const sent = inputBytes - offset;
  if (print.json) await print.record({ id, sent_bytes: sent, input_bytes: inputBytes, input_closed: isClosed });
  if (readError !== undefined) throw readError;
  if (isWhole) return EXIT_CODE.OK;
  await print.note(`Job "${id}" took ${sent} bytes and no more: it has ended or closed its input`);
  return EXIT_CODE.FAILED;
}
