/** Tests of times in text form, and of their request fields. */
import assert from "node:assert/strict";
import { momentFields, momentParser, withLaterAges } from "../../units/moment.ts";
import { UsageError } from "../../units/usage_error.ts";

const parse = momentParser("--since");
const pad = (number: number, digits = 2) => String(number).padStart(digits, "0");

Deno.test("momentParser() parses a duration as a time before now, and keeps the age", () => {
  const { time: { seconds, nanos }, ageMs } = parse("1h30m");
  assert.equal(ageMs, 5_400_000);
  const agoMs = Date.now() - (seconds * 1_000 + nanos / 1_000_000);
  assert.ok(agoMs >= 5_400_000 && agoMs < 5_410_000);
  assert.deepEqual(Object.keys(momentFields("registered_until", parse("7d"))), [
    "registered_until",
    "registered_until_age_ms",
  ]);
});

Deno.test("momentParser() parses a date, which is sent without an age", () => {
  const moment = parse("2026-01-31T12:00:00.5+01:00");
  assert.deepEqual(moment, { time: { seconds: 1_769_857_200, nanos: 500_000_000 } });
  assert.deepEqual(momentFields("since", moment), { since: moment.time });
  assert.deepEqual(momentFields("since", undefined), {});
  assert.deepEqual(parse("2026-01-31 12:00z"), { time: { seconds: 1_769_860_800, nanos: 0 } });
});

Deno.test("momentParser() refuses other texts", () => {
  for (const text of ["", "yesterday", "10", "2026-01-31", "2026-13-01T00:00:00Z", "2026-01-31T12:00:00", "9999h"]) {
    assert.throws(() => parse(text), UsageError, text);
  }
});

Deno.test("momentParser() distinguishes incomplete dates from dates that do not exist", () => {
  for (const text of ["2026-01-31", "2026-1-31T12:00:00Z", "2026-01-31T12:00:00", "2026-02-30"]) {
    assert.throws(() => parse(text), {
      message: new RegExp(`^Invalid time "${text}" for --since: give date, time and offset`),
    });
  }
  assert.throws(() => parse("2026-02-30T00:00:00Z"), { message: /this time does not exist/ });
});

Deno.test("momentParser() accepts every existing day and minute, and no other", () => {
  for (const year of [1, 1900, 1970, 2000, 2023, 2024, 2100, 9999]) {
    for (let month = 0; month <= 14; month++) {
      for (let day = 0; day <= 33; day++) {
        // The runtime moves what is not a day to another one.
        const date = new Date(0);
        date.setUTCFullYear(year, month - 1, day);
        const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        const text = `${pad(year, 4)}-${pad(month)}-${pad(day)}T12:00:00Z`;
        if (isDay) assert.equal(parse(text).time.seconds, date.getTime() / 1_000 + 43_200, text);
        else assert.throws(() => parse(text), UsageError, text);
      }
    }
  }
  for (let number = 0; number <= 99; number++) {
    const texts = [
      [`2026-02-03T${pad(number)}:00:00Z`, number < 24],
      [`2026-02-03T00:${pad(number)}:00Z`, number < 60],
      [`2026-02-03T00:00:${pad(number)}Z`, number < 60],
      [`2026-02-03T00:00:00+${pad(number)}:00`, number < 24],
      [`2026-02-03T00:00:00-00:${pad(number)}`, number < 60],
    ] as const;
    for (const [text, isMoment] of texts) {
      if (isMoment) parse(text);
      else assert.throws(() => parse(text), UsageError, text);
    }
  }
  for (const text of ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-00:01"]) {
    assert.throws(() => parse(text), UsageError, text);
  }
});

Deno.test("withLaterAges() increases ages and nothing else", () => {
  const request = {
    id: "a",
    since: { seconds: 1, nanos: 0 },
    since_age_ms: 10,
    until_age_ms: undefined,
    tail_lines: 3,
  };
  assert.deepEqual(withLaterAges(request, 4.6), { ...request, since_age_ms: 15 });
});
