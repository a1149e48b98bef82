/** Tests of the file format: frames and headers are read back, and every damage is detected. */
import assert from "node:assert/strict";
import {
  decodeFileHeader,
  encodeFileHeader,
  FILE_HEADER_BYTES,
  jobChecksum,
} from "../../../worker/output/file_header.ts";
import {
  decodeFrame,
  decodeFrameHeader,
  encodeFrame,
  findFrame,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  type FrameHeader,
  frameStartBefore,
  MAX_PAYLOAD_BYTES,
  offsetsAfter,
} from "../../../worker/output/frame.ts";
import { someBytes } from "../../support/random.ts";
import { type LogIdentity, newLogIdentity } from "../../../worker/output/log_identity.ts";

const IDENTITY = newLogIdentity();

function frameOf(payload: Uint8Array, fields: Partial<FrameHeader> = {}, identity: LogIdentity = IDENTITY): Uint8Array {
  const bytes = new Uint8Array(FRAME_OVERHEAD_BYTES + payload.length);
  bytes.set(payload, FRAME_HEADER_BYTES);
  const header: FrameHeader = {
    stream: "stdout",
    timeMs: 1_234.5,
    clockWentBack: false,
    isUnordered: false,
    offsets: { stdout: 0, stderr: 0 },
    length: payload.length,
    ...fields,
  };
  assert.equal(encodeFrame(bytes, 0, identity, header), bytes.length);
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("decodeFrame() reads what encodeFrame() wrote, for both streams and all sizes of numbers", () => {
  const large = 2 ** 50 + 3;
  for (const length of [0, 1, 255, 256, MAX_PAYLOAD_BYTES]) {
    for (const stream of ["stdout", "stderr"] as const) {
      for (
        const offsets of [{ stdout: 0, stderr: 0 }, { stdout: 2 ** 32 - 1, stderr: 2 ** 32 }, {
          stdout: large,
          stderr: 1,
        }]
      ) {
        const payload = someBytes(length);
        const timeMs = 1_764_000_000_000.25;
        const decoded = decodeFrame(frameOf(payload, { stream, offsets, timeMs }), 0, IDENTITY);
        assert.deepEqual(decoded, {
          stream,
          offsets,
          timeMs,
          clockWentBack: false,
          isUnordered: false,
          length,
          payload,
          end: length + FRAME_OVERHEAD_BYTES,
        });
      }
    }
  }
});

Deno.test("decodeFrame() reads the flags of the clock", () => {
  for (const clockWentBack of [true, false]) {
    for (const isUnordered of [true, false]) {
      const decoded = decodeFrame(frameOf(someBytes(9), { clockWentBack, isUnordered, stream: "stderr" }), 0, IDENTITY);
      assert.ok(decoded !== undefined && decoded !== "damaged");
      assert.deepEqual([decoded.clockWentBack, decoded.isUnordered, decoded.stream], [
        clockWentBack,
        isUnordered,
        "stderr",
      ]);
    }
  }
});

Deno.test("decodeFrame() returns undefined for a frame that is cut at any byte", () => {
  const bytes = frameOf(someBytes(100));
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decodeFrame(bytes.subarray(0, length), 0, IDENTITY), undefined, `at ${length}`);
  }
});

Deno.test("decodeFrame() detects every changed bit and byte", () => {
  const bytes = frameOf(someBytes(64), { offsets: { stdout: 70_000, stderr: 5 } });
  // More bytes follow, as in a file. Otherwise a larger length would look incomplete.
  const file = concat(bytes, someBytes(MAX_PAYLOAD_BYTES));
  for (let at = 0; at < bytes.length; at++) {
    const good = file[at] ?? 0;
    for (const change of [1, 2, 4, 8, 16, 32, 64, 128, 255, good]) {
      if (change === 0) continue; // Setting a zero to zero changes nothing.
      file[at] = good ^ change;
      assert.equal(decodeFrame(file, 0, IDENTITY), "damaged", `byte ${at}, change ${change}`);
    }
    file[at] = good;
  }
  assert.ok(typeof decodeFrame(file, 0, IDENTITY) === "object");
});

Deno.test("decodeFrame() refuses frames of another log, and frames at another offset", () => {
  const bytes = frameOf(someBytes(10));
  assert.equal(decodeFrame(bytes, 0, newLogIdentity()), "damaged");
  // The same magic number with another key. A job that knows the number still cannot write a frame.
  assert.equal(decodeFrame(bytes, 0, { ...newLogIdentity(), magic: IDENTITY.magic }), "damaged");
  assert.equal(decodeFrame(concat(new Uint8Array(1), bytes), 0, IDENTITY), "damaged");
  assert.equal(decodeFrameHeader(bytes, -1, IDENTITY), undefined);
});

Deno.test("decodeFrame() reads from a part of a larger buffer", () => {
  const whole = concat(someBytes(13), frameOf(someBytes(10)), someBytes(7));
  const decoded = decodeFrame(whole.subarray(13), 0, IDENTITY);
  assert.ok(typeof decoded === "object");
  assert.deepEqual(decoded.payload, whole.slice(13 + FRAME_HEADER_BYTES, 13 + FRAME_HEADER_BYTES + 10));
});

Deno.test("frameStartBefore() walks back over frames of all sizes, and stops at other bytes", () => {
  const frames = [0, 1, 300, 65_536, 2].map((length) => frameOf(someBytes(length)));
  const bytes = concat(...frames);
  const starts: number[] = [];
  for (let end: number | undefined = bytes.length; end !== undefined; end = frameStartBefore(bytes, end, IDENTITY)) {
    starts.unshift(end);
  }
  const wanted = [0];
  for (const { length } of frames) wanted.push((wanted.at(-1) ?? 0) + length);
  assert.deepEqual(starts, wanted);
  assert.equal(frameStartBefore(bytes, bytes.length - 1, IDENTITY), undefined);
  assert.equal(frameStartBefore(bytes, bytes.length + 1, IDENTITY), undefined);
  assert.equal(
    frameStartBefore(bytes.subarray(1), bytes.length - 1 - (frames.at(-1)?.length ?? 0), IDENTITY) === 0,
    false,
  );
});

Deno.test("findFrame() finds the next frame from any byte, even when payloads look like frames", () => {
  const magic = frameOf(new Uint8Array()).slice(0, 4);
  // A job can write the magic number many times, and a frame of another log.
  const tricky = concat(
    magic,
    magic,
    magic.slice(0, 3),
    frameOf(someBytes(8), {}, { ...newLogIdentity(), magic: IDENTITY.magic }),
  );
  const first = frameOf(tricky);
  const second = frameOf(someBytes(20), { stream: "stderr" });
  const bytes = concat(first, second);
  assert.equal(findFrame(bytes, 0, IDENTITY)?.at, 0);
  for (let from = 1; from <= first.length; from++) {
    const found = findFrame(bytes, from, IDENTITY);
    assert.ok(found?.at === first.length && found.header.stream === "stderr", `from ${from}`);
  }
  for (let from = first.length + 1; from <= bytes.length; from++) {
    assert.equal(findFrame(bytes, from, IDENTITY), undefined);
  }
});

Deno.test("decodeFileHeader() reads a header, and detects missing bytes and changed bits", () => {
  const header = {
    identity: IDENTITY,
    start: 2 ** 40 + 1,
    offsets: { stdout: 2 ** 39, stderr: 17 },
    job: jobChecksum("one"),
  };
  const bytes = encodeFileHeader(header);
  assert.equal(bytes.length, FILE_HEADER_BYTES);
  assert.deepEqual(decodeFileHeader(bytes), header);
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decodeFileHeader(bytes.subarray(0, length)), undefined);
  }
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(decodeFileHeader(damaged), undefined, `bit ${bit}`);
  }
});

Deno.test("offsetsAfter() moves only the offset of the frame's stream", () => {
  const header = { timeMs: 0, length: 5, offsets: { stdout: 10, stderr: 20 } };
  assert.deepEqual(offsetsAfter({ ...header, stream: "stdout" }), { stdout: 15, stderr: 20 });
  assert.deepEqual(offsetsAfter({ ...header, stream: "stderr" }), { stdout: 10, stderr: 25 });
});
