/** Ids of jobs: UUID version 7 (RFC 9562). They sort by the time of registration, also within a millisecond. */

let lastMs = 0;
let counter = 0;

/** Returns a new id, greater than all earlier ids of this process. */
export function newJobId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = (bytes[6]! << 4 | bytes[7]! >> 4) & 0x7ff; // Starts in the lower half of its 12 bits, which leaves room to count.
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(lastMs / 2 ** 32));
  view.setUint32(2, lastMs % 2 ** 32);
  view.setUint16(6, 0x7000 | counter);
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  const hex = bytes.toHex();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
