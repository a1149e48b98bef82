/** Tests of units/duration.ts. */
import assert from "node:assert/strict";
import { parseDurationMs } from "../../units/duration.ts";
import { formatDuration } from "../../base/number_text.ts";
import { UsageError } from "../../units/usage_error.ts";

const MAX_MS = 480 * 3_600_000;
const bounds = { name: "--timeout", minMs: 1, maxMs: MAX_MS };

const good: [string, number][] = [
  ["500ms", 500],
  ["10s", 10_000],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
  ["1h2m3s4ms", 3_723_004],
  ["90s", 90_000],
  ["480h", MAX_MS],
];
for (const [text, ms] of good) {
  Deno.test(`parseDurationMs() parses ${text}`, () => {
    assert.equal(parseDurationMs(text, bounds), ms);
  });
}

const bad: [string, RegExp][] = [
  ["", /Invalid duration "" for --timeout: give 1ms to 480h, such as "1h30m" \(integers/],
  ["10", /a unit is missing, such as "10s"/],
  ["0", /^Invalid duration "0" for --timeout: give 1ms to 480h, such as "1h30m"/],
  ["1.5", /give 1ms to 480h, such as "1h30m" \(integers with the units/],
  ["1.5s", /integers with the units/],
  ["-1s", /Invalid duration/],
  ["1s1m", /Invalid duration/],
  ["1m1m", /Invalid duration/],
  ["1w", /Invalid duration/],
  [" 1s", /Invalid duration/],
  ["1s\n", /Invalid duration/],
  ["s", /Invalid duration/],
  ["0s", /out of bounds: give 1ms to 480h/],
  ["480h1ms", /out of bounds/],
  ["9999999999h", /out of bounds/],
  ["99999999999s", /Invalid duration/],
];
for (const [text, sentence] of bad) {
  Deno.test(`parseDurationMs() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseDurationMs(text, bounds), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, sentence);
      return true;
    });
  });
}

Deno.test("parseDurationMs() accepts 0 when the minimum is 0", () => {
  assert.equal(parseDurationMs("0s", { ...bounds, minMs: 0 }), 0);
});

Deno.test("formatDuration() returns texts that parseDurationMs() accepts", () => {
  for (const ms of [0, 1, 999, 1_000, 61_001, 5_400_000, MAX_MS]) {
    assert.equal(parseDurationMs(formatDuration(ms), { ...bounds, minMs: 0 }), ms);
  }
});
