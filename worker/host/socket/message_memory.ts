/**
 * Memory of long messages that is used again. The system clears new memory page by page at its first use. A host that
 * sends output spent a fifth of its processor time on that.
 */

/** Every piece of output fits into it, with its JSON. */
const BLOCK_BYTES = 262_144;

/** A shorter message has memory of its own size, because many may wait. */
const MIN_BLOCK_BYTES = 131_072;

/** The memory of a shorter message is collected soon. */
const MIN_FREED_BYTES = 16_384;

/** A sender has this number of pieces in its queue; served_connection.ts. */
const MAX_SPARE_BLOCKS = 3;

const spareBlocks: ArrayBuffer[] = [];

/** Takes memory for a message. It may have bytes of an earlier one. */
export function takeMessageMemory(bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes < MIN_BLOCK_BYTES || bytes > BLOCK_BYTES) return new Uint8Array(bytes);
  return new Uint8Array(spareBlocks.pop() ?? new ArrayBuffer(BLOCK_BYTES), 0, bytes);
}

/** Gives the memory of a message back. Nothing may use it any more. */
export function giveMessageMemory({ buffer, length }: Uint8Array<ArrayBuffer>): void {
  if (buffer.byteLength === BLOCK_BYTES && spareBlocks.length < MAX_SPARE_BLOCKS) spareBlocks.push(buffer);
  // V8 would collect the memory of large messages late.
  else if (length >= MIN_FREED_BYTES) buffer.transfer(0);
}
