/** The call Input: writes the messages of the caller to the input of a job. */
import { defined } from "../../base/defined.ts";
import { type InputChunk, InvalidArgumentError } from "../../mod.ts";
import type { JobWorkerHandlers } from "../../proto/service.ts";
import type { InputRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { HandlerParts } from "./parts.ts";

export function inputHandler({ supervisor, permissions, callAudit }: HandlerParts): JobWorkerHandlers["Input"] {
  return async (requests, context) => {
    const messages = requests[Symbol.asyncIterator]();
    const first = await firstOf(messages);
    const { id, writer, offset } = first;
    await permissions.permit("Input", id, context);
    const chunks = chunksOf(first, messages, () => callAudit.begin(context));
    const { bytes, accepted, closed } = await supervisor.writeInput(id, chunks, {
      signal: context.signal,
      ...(writer === "" ? {} : { writer }),
      ...defined({ offset }),
    });
    return { input_bytes: bytes, taken_bytes: accepted, input_closed: closed };
  };
}

/**
 * Returns the first message, which names the job.
 *
 * @throws {InvalidArgumentError} when there is none
 */
async function firstOf(messages: AsyncIterator<InputRequest>): Promise<InputRequest> {
  const { done, value } = await messages.next();
  if (done) throw new InvalidArgumentError("Missing first message: name the job in it");
  return value;
}

/**
 * Returns the chunks of all messages. This is not a generator, because a generator that waits for a message cannot be
 * left.
 *
 * The iteration throws `InvalidArgumentError` when a later message has a field that only the first may have.
 *
 * @param onBegin called when the first chunk is requested, which is when the writer has the input
 */
function chunksOf(
  first: InputRequest,
  rest: AsyncIterator<InputRequest>,
  onBegin: () => void,
): AsyncIterable<InputChunk> {
  let isFirst = true;
  const iterator: AsyncIterator<InputChunk> = {
    async next() {
      if (isFirst) {
        isFirst = false;
        onBegin();
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
