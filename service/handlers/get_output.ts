/** The call GetOutput: streams the output of a job, or the lines of it that match, then its summary. */
import type { OutputChunk, OutputEnd, Watch } from "../../mod.ts";
import type { CallContext, JobWorkerHandlers, Sent } from "../../proto/service.ts";
import type { GetOutputRequest, JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { endMessage, outputMessage, selectionOf } from "../convert/output.ts";
import { checkHeartbeat, heartbeatsUntil } from "./heartbeat.ts";
import type { HandlerParts } from "./parts.ts";

export function getOutputHandler(parts: HandlerParts): JobWorkerHandlers["GetOutput"] {
  return (request, context) => {
    if (request.grep !== "") return searchOutput(parts, request, context);
    const messages = new OutputMessages(parts, request, context);
    return request.heartbeat_ms === 0 ? messages : withHeartbeats(messages, request.heartbeat_ms, context.signal);
  };
}

type OutputMessage = Sent<JobOutput>;

/**
 * The messages of one watcher. A generator would add ten objects to each message, and a line of output can wake a
 * thousand watchers.
 */
class OutputMessages implements AsyncIterableIterator<OutputMessage> {
  /** The cursor after the last message. */
  cursor: string;
  readonly #parts: HandlerParts;
  readonly #request: GetOutputRequest;
  readonly #context: CallContext;
  #chunks: Watch<OutputChunk, OutputEnd> | undefined;
  #isOver = false;
  readonly #taken = (step: IteratorResult<OutputChunk, OutputEnd>): IteratorResult<OutputMessage> => {
    if (step.done) {
      this.#isOver = true;
      return { done: false, value: endMessage(step.value) };
    }
    this.cursor = step.value.cursor;
    return { done: false, value: outputMessage(step.value) };
  };

  constructor(parts: HandlerParts, request: GetOutputRequest, context: CallContext) {
    this.#parts = parts;
    this.#request = request;
    this.#context = context;
    this.cursor = request.cursor;
  }

  /** Begins to watch, if the caller may. */
  async open(): Promise<void> {
    const { supervisor, permissions } = this.#parts;
    const { id, heartbeat_ms } = this.#request;
    await permissions.permit("GetOutput", id, this.#context);
    // The first heartbeat comes at once, so a follower can resume before the first byte of output.
    const startCursor = checkHeartbeat(heartbeat_ms) > 0;
    const options = { ...selectionOf(this.#request), startCursor, reusesMemory: true, signal: this.#context.signal };
    this.#chunks = supervisor.watchOutput(id, options);
  }

  next(): Promise<IteratorResult<OutputMessage>> {
    if (this.#chunks === undefined) return this.open().then(() => this.next());
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return this.#chunks.next().then(this.#taken);
  }

  async return(): Promise<IteratorResult<OutputMessage>> {
    this.#isOver = true;
    await this.#chunks?.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Adds heartbeats to the messages of a watcher. */
async function* withHeartbeats(
  messages: OutputMessages,
  heartbeatMs: number,
  signal: AbortSignal,
): AsyncGenerator<OutputMessage, void, void> {
  try {
    await messages.open();
    while (true) {
      const result = messages.next();
      for await (const _ of heartbeatsUntil(result, heartbeatMs, signal)) yield { cursor: messages.cursor };
      const { done, value } = await result;
      if (done) return;
      yield value;
    }
  } finally {
    await messages.return();
  }
}

/** Streams the lines that match. Between two of them it may search gigabytes, so the heartbeats have its present cursor. */
async function* searchOutput(
  { supervisor, permissions }: HandlerParts,
  request: GetOutputRequest,
  context: CallContext,
): AsyncGenerator<OutputMessage, void, void> {
  await permissions.permit("GetOutput", request.id, context);
  const heartbeatMs = checkHeartbeat(request.heartbeat_ms);
  const { signal, turn } = context;
  // Loaded when it is first needed, because most servers never search.
  const [{ LinePattern }, { OutputSearch }, { parseSearchCursor }] = await Promise.all([
    import("../search/line_pattern.ts"),
    import("../search/search_output.ts"),
    import("../search/search_cursor.ts"),
  ]);
  const pattern = new LinePattern(request.grep, { ignoreCase: request.grep_ignore_case });
  const place = parseSearchCursor(request.cursor);
  const selection = selectionOf({ ...request, cursor: place.cursor });
  await using chunks: Watch<OutputChunk, OutputEnd> = supervisor.watchOutput(request.id, {
    ...selection,
    startCursor: true,
    signal,
  });
  const search = new OutputSearch({ pattern, place, turn });
  const matches = search.run(chunks);
  if (heartbeatMs > 0) yield { cursor: request.cursor };
  while (true) {
    const result = matches.next();
    if (heartbeatMs > 0) {
      for await (const _ of heartbeatsUntil(result, heartbeatMs, signal)) yield { cursor: search.cursor };
    }
    const { done, value } = await result;
    if (done) {
      yield endMessage(value);
      return;
    }
    yield outputMessage(value);
  }
}
