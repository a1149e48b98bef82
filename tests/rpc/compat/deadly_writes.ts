/** Bytes of peers that end a process without the guard of rpc/compat/http2_guard.ts. */

/** Returns an HTTP/2 frame. Source: RFC 9113, section 4.1. */
function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

const PREFACE = [new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, new Uint8Array())];
/**
 * Returns a request for `POST https://a/` by the static table of RFC 7541. Without a content type it is not a gRPC
 * call.
 */
const request = (stream: number) => frame(1, 5, stream, Uint8Array.of(0x83, 0x87, 0x84, 0x01, 1, 0x61));
const REQUEST = request(1);

/** Returns the bytes of a connection with a number of requests. */
export function connectionOf(requests: number): Uint8Array {
  const frames = Array.from({ length: requests }, (_, index) => request(1 + 2 * index));
  return new Uint8Array([...PREFACE, ...frames].flatMap((bytes) => [...bytes]));
}

/** Complete connections. Each ends a server without the guard: most at once, all of them in a few attempts. */
export const DEADLY_WRITES: readonly [name: string, frames: readonly Uint8Array[]][] = [
  ["a request and SETTINGS of a wrong length", [...PREFACE, REQUEST, frame(4, 0, 0, new Uint8Array(3))]],
  ["a request, RST_STREAM and a broken frame", [
    ...PREFACE,
    REQUEST,
    frame(3, 0, 1, new Uint8Array(4)),
    frame(6, 0, 1, new Uint8Array(8)),
  ]],
  ["an acknowledgement of a PING that was never sent, and RST_STREAM on an idle stream", [
    ...PREFACE,
    frame(6, 1, 0, new Uint8Array(8)),
    frame(3, 0, 7, new Uint8Array(4)),
  ]],
];
