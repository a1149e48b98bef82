/** Frames of HTTP/2, well-formed and malformed: RFC 9113, sections 4 and 6. */
import type { Random } from "../support/random.ts";
import { joinBytes } from "../../base/join_bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The first bytes of every client: RFC 9113, section 3.4. */
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The kinds of requests before the frames. */
const REQUEST_KINDS = [
  "no content type",
  "other content type",
  "unknown path",
  "health",
  "reflection",
  "unary",
  "server-streaming",
  "client-streaming",
] as const;

/** One kind of request. */
export type RequestKind = typeof REQUEST_KINDS[number];

const PATHS: Record<RequestKind, string> = {
  "no content type": "/x",
  "other content type": "/teleport.v1.JobWorker/Status",
  "unknown path": "/teleport.v1.JobWorker/Nothing",
  health: "/grpc.health.v1.Health/Check",
  reflection: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  unary: "/teleport.v1.JobWorker/Status",
  "server-streaming": "/teleport.v1.JobWorker/WatchJobs",
  "client-streaming": "/teleport.v1.JobWorker/Input",
};

/** Makes a frame. Its header may declare another length than the payload has. */
function frame(type: number, flags: number, stream: number, payload: Bytes, declaredBytes = payload.length): Bytes {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (declaredBytes << 8 | type) >>> 0);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

/** Encodes a literal header without indexing or Huffman code: RFC 7541, section 6.2.2. */
function literal(name: string, value: string): Bytes {
  const [nameBytes, valueBytes] = [name, value].map((text) => new TextEncoder().encode(text)) as [Bytes, Bytes];
  return joinBytes([Uint8Array.of(0, nameBytes.length), nameBytes, Uint8Array.of(valueBytes.length), valueBytes]);
}

function headerBlock(kind: RequestKind): Bytes {
  const type = kind === "no content type" ? [] : [
    literal("content-type", kind === "other content type" ? "text/html" : "application/grpc"),
  ];
  return joinBytes([
    literal(":method", "POST"),
    literal(":scheme", "https"),
    literal(":path", PATHS[kind]),
    literal(":authority", "localhost"),
    literal("te", "trailers"),
    ...type,
  ]);
}

/** Makes a complete request, or one whose body comes later. */
function request(random: Random, kind: RequestKind, stream: number): Bytes {
  const block = headerBlock(kind);
  if (random.chance(0.3)) return frame(1, 5, stream, block); // END_HEADERS and END_STREAM
  const message = random.chance(0.5) ? new Uint8Array(5) : Uint8Array.of(0, 0, 0, 0, 4, 10, 2, 97, 98);
  const data = random.chance(0.7) ? [frame(0, random.below(2), stream, message)] : [];
  return joinBytes([frame(1, 4, stream, block), ...data]);
}

const FLAGS = [0, 0, 1, 4, 5, 8, 0x0d, 0x20, 0x24, 0x2d, 0xff] as const;
const STREAMS = [0, 0, 1, 1, 1, 3, 5, 2, 7, 0x7fffffff, 0x80000001] as const;
const LENGTHS = [0, 1, 3, 4, 4, 5, 6, 8, 8, 9, 12, 17, 100, 16_384, 16_385] as const;

/** Makes a frame of any type, with any flags, on any stream, of any length. */
function hostileFrame(random: Random): Bytes {
  // Ten types of HTTP/2 itself, the extensions ALTSVC, ORIGIN and PRIORITY_UPDATE, and unknown types.
  const type = random.chance(0.9) ? random.below(10) : random.pick([10, 12, 16, random.below(256)]);
  const flags = random.chance(0.8) ? random.pick(FLAGS) : random.below(256);
  const stream = random.chance(0.9) ? random.pick(STREAMS) : random.below(0x7fffffff);
  const length = random.chance(0.9) ? random.pick(LENGTHS) : random.below(300);
  const payload = random.chance(0.3)
    ? new Uint8Array(length)
    : type === 1 && random.chance(0.6)
    ? headerBlock(random.pick(REQUEST_KINDS))
    : random.bytes(length);
  if (random.chance(0.05)) return frame(type, flags, stream, payload, random.below(0xffffff));
  return frame(type, flags, stream, payload);
}

/** Makes the writes of a client on one connection. */
export function hostileWrites(random: Random): Bytes[] {
  // A small part does not start as HTTP/2.
  if (random.chance(0.02)) return [random.bytes(random.below(200))];
  const parts: Bytes[] = [PREFACE, frame(4, 0, 0, new Uint8Array())];
  const kinds = random.below(3) + 1;
  for (let n = 0; n < kinds; n++) {
    if (random.chance(0.9)) parts.push(request(random, random.pick(REQUEST_KINDS), 2 * n + 1));
    const frames = random.below(5) + (n === kinds - 1 ? 1 : 0);
    for (let count = 0; count < frames; count++) parts.push(hostileFrame(random));
  }
  if (random.chance(0.7)) return [joinBytes(parts)];
  // Some writes are cut in two at any place.
  const all = joinBytes(parts);
  const at = random.below(all.length);
  return [all.subarray(0, at), all.subarray(at)];
}

/** Makes the writes of a hostile server on one connection, one after each write of the client. */
export function hostileAnswer(random: Random): Bytes[] {
  if (random.chance(0.05)) return [random.bytes(random.below(200))];
  const frames = Array.from({ length: random.below(6) + 1 }, () => hostileFrame(random));
  return [frame(4, 0, 0, new Uint8Array()), joinBytes(frames)];
}
