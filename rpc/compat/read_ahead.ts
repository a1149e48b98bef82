/**
 * Sets how many messages a stream of grpc-js reads ahead, in a private field of Node's streams.
 *
 * Reason: grpc-js reads 16 messages ahead, each of which may have megabytes, and has no option for the number. Without
 * the field, that much more memory is used. Test: `tests/rpc/compat/read_ahead_test.ts`.
 */

/** Limits a stream of messages to one message that was read and not used. */
export function readOneMessageAhead(stream: object): void {
  const { _readableState: state } = stream as { _readableState?: { highWaterMark?: number } };
  if (state !== undefined) state.highWaterMark = 1;
}
