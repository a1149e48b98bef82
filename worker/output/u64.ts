/** Unsigned 64-bit numbers in little-endian bytes, without the cost of BigInt. */

const TWO_32 = 4_294_967_296;

/** Writes an unsigned 64-bit number, exactly up to 2^53. */
export function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

/** Reads an unsigned 64-bit number, exactly up to 2^53. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;
}

/** Returns a view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
