/** The identity of a log: random values that its frames and cursors carry. */
import { viewOf } from "./u64.ts";

/** The random values that distinguish one log from all others. */
export interface LogIdentity {
  /** The first four bytes of each frame. */
  readonly magic: number;
  /** 16 secret bytes that sign cursors. */
  readonly key: Uint8Array;
  /** The start value of each frame's CRC: the first word of the key. */
  readonly crcSeed: number;
}

/** Creates the identity of a new log. */
export function newLogIdentity(): LogIdentity {
  return identityFrom(crypto.getRandomValues(new Uint8Array(20)));
}

/** Reads an identity from the 20 bytes that a file header holds: the magic number and the key. */
export function identityFrom(bytes: Uint8Array): LogIdentity {
  const view = viewOf(bytes);
  return { magic: view.getUint32(0, true), key: bytes.slice(4, 20), crcSeed: view.getUint32(4, true) };
}
