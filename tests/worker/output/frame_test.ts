/** The format on the disk: what is written is read back, and whatever is not as it was written is known as such. */
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

function record(payload: Uint8Array, fields: Partial<FrameHeader> = {}, identity: LogIdentity = IDENTITY): Uint8Array {
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

Deno.test("decodeRecord() gives back what frameRecord() wrote, for both streams and every size of number", () => {
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
        const decoded = decodeFrame(record(payload, { stream, offsets, timeMs }), 0, IDENTITY);
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

Deno.test("decodeRecord() gives back the marks of the clock", () => {
  for (const clockWentBack of [true, false]) {
    for (const isUnordered of [true, false]) {
      const decoded = decodeFrame(record(someBytes(9), { clockWentBack, isUnordered, stream: "stderr" }), 0, IDENTITY);
      assert.ok(decoded !== undefined && decoded !== "damaged");
      assert.deepEqual([decoded.clockWentBack, decoded.isUnordered, decoded.stream], [
        clockWentBack,
        isUnordered,
        "stderr",
      ]);
    }
  }
});

Deno.test("decodeRecord() takes a record cut at any byte for one that is not whole", () => {
  const bytes = record(someBytes(100));
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decodeFrame(bytes.subarray(0, length), 0, IDENTITY), undefined, `at ${length}`);
  }
});

Deno.test("decodeRecord() never takes a record with a changed bit or byte for a good one", () => {
  const bytes = record(someBytes(64), { offsets: { stdout: 70_000, stderr: 5 } });
  // Behind it stands more, as in a file, so that a length that grew is not just "not whole".
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

Deno.test("decodeRecord() takes no record of another log, nor one at the wrong place", () => {
  const bytes = record(someBytes(10));
  assert.equal(decodeFrame(bytes, 0, newLogIdentity()), "damaged");
  // Same mark, another key: a job that read the mark in a core dump, say, still cannot make a record.
  assert.equal(decodeFrame(bytes, 0, { ...newLogIdentity(), magic: IDENTITY.magic }), "damaged");
  assert.equal(decodeFrame(concat(new Uint8Array(1), bytes), 0, IDENTITY), "damaged");
  assert.equal(decodeFrameHeader(bytes, -1, IDENTITY), undefined);
});

Deno.test("decodeRecord() works on a part of a larger buffer", () => {
  const whole = concat(someBytes(13), record(someBytes(10)), someBytes(7));
  const decoded = decodeFrame(whole.subarray(13), 0, IDENTITY);
  assert.ok(typeof decoded === "object");
  assert.deepEqual(decoded.payload, whole.slice(13 + FRAME_HEADER_BYTES, 13 + FRAME_HEADER_BYTES + 10));
});

Deno.test("recordStartBefore() walks back over records of all sizes, and stops at what is none", () => {
  const records = [0, 1, 300, 65_536, 2].map((length) => record(someBytes(length)));
  const bytes = concat(...records);
  const starts: number[] = [];
  for (let end: number | undefined = bytes.length; end !== undefined; end = frameStartBefore(bytes, end, IDENTITY)) {
    starts.unshift(end);
  }
  const wanted = [0];
  for (const { length } of records) wanted.push((wanted.at(-1) ?? 0) + length);
  assert.deepEqual(starts, wanted);
  assert.equal(frameStartBefore(bytes, bytes.length - 1, IDENTITY), undefined);
  assert.equal(frameStartBefore(bytes, bytes.length + 1, IDENTITY), undefined);
  assert.equal(
    frameStartBefore(bytes.subarray(1), bytes.length - 1 - (records.at(-1)?.length ?? 0), IDENTITY) === 0,
    false,
  );
});

Deno.test("findRecord() finds the next record from any byte, though payloads hold old records and marks", () => {
  const mark = record(new Uint8Array()).slice(0, 4);
  // What a job can write: the mark over and over, and a record of another log.
  const tricky = concat(
    mark,
    mark,
    mark.slice(0, 3),
    record(someBytes(8), {}, { ...newLogIdentity(), magic: IDENTITY.magic }),
  );
  const first = record(tricky);
  const second = record(someBytes(20), { stream: "stderr" });
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

Deno.test("decodeFileHeader() gives back what was written, and nothing where a byte is missing or a bit changed", () => {
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

Deno.test("offsetsBehind() moves the offset of the record's own stream alone", () => {
  const header = { timeMs: 0, length: 5, offsets: { stdout: 10, stderr: 20 } };
  assert.deepEqual(offsetsAfter({ ...header, stream: "stdout" }), { stdout: 15, stderr: 20 });
  assert.deepEqual(offsetsAfter({ ...header, stream: "stderr" }), { stdout: 10, stderr: 25 });
});
