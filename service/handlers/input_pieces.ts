/** The messages of an Input call as the pieces of a job's input. */
import { type InputPiece, InvalidArgumentError } from "../../mod.ts";
import type { InputRequest } from "../../proto/teleport/v1/job_worker.ts";

/**
 * The first message, which names the job.
 *
 * @throws {InvalidArgumentError} when there is none
 */
export async function firstOf(messages: AsyncIterator<InputRequest>): Promise<InputRequest> {
  const { done, value } = await messages.next();
  if (done) throw new InvalidArgumentError("Empty stream: name the job in a first message");
  return value;
}

/**
 * The pieces of all messages. Not a generator, which could not be left while it waits for a message.
 *
 * The iteration throws `InvalidArgumentError` when a later message speaks of what the first alone decides.
 *
 * @param onBegun called when the first piece is asked for, which is when the writer has the input
 */
export function piecesOf(
  first: InputRequest,
  rest: AsyncIterator<InputRequest>,
  onBegun: () => void,
): AsyncIterable<InputPiece> {
  let isFirst = true;
  const iterator: AsyncIterator<InputPiece> = {
    async next() {
      if (isFirst) {
        isFirst = false;
        onBegun();
        return { done: false, value: first };
      }
      const step = await rest.next();
      if (step.done) return { done: true, value: undefined };
      const { id, writer, offset } = step.value;
      if (id !== "" || writer !== "" || offset !== undefined) {
        throw new InvalidArgumentError("Unexpected id, writer or offset: give them in the first message alone");
      }
      return { done: false, value: step.value };
    },
    async return() {
      await rest.return?.();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
