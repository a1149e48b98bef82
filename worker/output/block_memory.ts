/** Memory of blocks that is used again. V8 would collect the memory of each block late, in a pause of its own. */
import { READ_BYTES } from "./reader.ts";

/** Few readers read at the same moment. */
const MAX_SPARE_BLOCKS = 4;

const spareBlocks: Uint8Array[] = [];

/** Takes memory for one block. */
export function takeBlockMemory(): Uint8Array {
  return spareBlocks.pop() ?? new Uint8Array(READ_BYTES);
}

/** Gives memory back. Nothing may use it any more. */
export function giveBlockMemory(memory: Uint8Array): void {
  if (spareBlocks.length < MAX_SPARE_BLOCKS) spareBlocks.push(memory);
}
