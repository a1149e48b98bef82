/**
 * Writes the log of an ended job without writing its payloads. The frames are those of the library, with true checksums.
 * The payloads are zeros, which the file system stores as holes. Only the last frame has lines of text.
 */
import { newJobId } from "../../worker/job/id.ts";
import type { JobSpec } from "../../worker/job/spec.ts";
import { encodeFileHeader, FILE_HEADER_BYTES, jobChecksum } from "../../worker/output/file_header.ts";
import {
  encodeFrame,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  MAX_PAYLOAD_BYTES,
  offsetsAfter,
  type StreamOffsets,
} from "../../worker/output/frame.ts";
import { newLogIdentity } from "../../worker/output/log_identity.ts";
import { fileName } from "../../worker/output/segment_set.ts";
import { encodeSpec } from "../../worker/store/json.ts";
import { Store } from "../../worker/store/store.ts";

/** The time between two frames of the log, in milliseconds: 6.5 MB of output a second. */
const FRAME_MS = 10;

/** The lines of the last frame. */
const TAIL = new TextEncoder().encode("a line of output such as programs write\n".repeat(100));

const TRAILER_BYTES = FRAME_OVERHEAD_BYTES - FRAME_HEADER_BYTES;

/** A log that was written. */
export interface SparseLog {
  readonly id: string;
  readonly bytes: number;
  /** A time in the middle of the output. */
  readonly middle: Date;
}

/** Adds an ended job with this number of bytes of output to a data directory that no server uses. */
export function addSparseJob(data: string, bytes: number): SparseLog {
  const id = newJobId();
  const frames = Math.max(1, Math.ceil((bytes - TAIL.length) / MAX_PAYLOAD_BYTES));
  const endMs = Date.now();
  const startMs = endMs - frames * FRAME_MS;
  const identity = newLogIdentity();
  const directory = `${data}/output/${id}`;
  Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  using file = Deno.openSync(`${directory}/${fileName(0)}`, { createNew: true, write: true, mode: 0o600 });
  let offsets: StreamOffsets = { stdout: 0, stderr: 0 };
  file.writeSync(encodeFileHeader({ identity, start: 0, offsets, job: jobChecksum(id) }));
  const buffer = new Uint8Array(MAX_PAYLOAD_BYTES + FRAME_OVERHEAD_BYTES);
  let position = 0;
  /** The trailer of a frame and the header of the next one are neighbours, and one write. */
  const seam = new Uint8Array(FRAME_OVERHEAD_BYTES);
  let seamBytes = 0;
  for (let number = 0; number <= frames; number++) {
    const isLast = number === frames;
    if (isLast) buffer.set(TAIL, FRAME_HEADER_BYTES);
    const length = isLast ? TAIL.length : Math.min(MAX_PAYLOAD_BYTES, bytes - TAIL.length - offsets.stdout);
    const timeMs = startMs + number * FRAME_MS;
    const header = { stream: "stdout", offsets, timeMs, clockWentBack: false, isUnordered: false, length } as const;
    const end = encodeFrame(buffer, 0, identity, header);
    seam.set(buffer.subarray(0, FRAME_HEADER_BYTES), seamBytes);
    file.seekSync(FILE_HEADER_BYTES + position - seamBytes, Deno.SeekMode.Start);
    file.writeSync(seam.subarray(0, seamBytes + FRAME_HEADER_BYTES));
    if (isLast) file.writeSync(buffer.subarray(FRAME_HEADER_BYTES, end));
    seam.set(buffer.subarray(end - TRAILER_BYTES, end));
    seamBytes = TRAILER_BYTES;
    position += end;
    offsets = offsetsAfter(header);
  }
  addJob(data, id, position, offsets, new Date(startMs), new Date(endMs));
  return { id, bytes: offsets.stdout, middle: new Date((startMs + endMs) / 2) };
}

function addJob(data: string, id: string, position: number, offsets: StreamOffsets, startedAt: Date, endedAt: Date) {
  using store = new Store(`${data}/jobs.db`);
  const spec: JobSpec = { id, command: "simulated", args: [], registeredAt: startedAt, owner: "admin" };
  store.add(spec, encodeSpec(spec));
  const totals = {
    stdoutBytes: offsets.stdout,
    stderrBytes: 0,
    droppedBytes: 0,
    // An empty digest is an unknown one, as after a crash.
    stdoutSha256: new Uint8Array(),
    stderrSha256: new Uint8Array(),
  };
  const ended = { startedAt, endedAt, pid: 4_000, reason: "EXITED", exitCode: 0 } as const;
  const output = { end: { position, offsets }, totals };
  store.change(id, { state: "EXITED", ...ended }, { reason: "EXITED", output, outputBytes: position });
}
