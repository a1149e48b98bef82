/** Tests of numbers in text form, for each notation. */
import assert from "node:assert/strict";
import type { Notation } from "../../base/job_options/descriptor.ts";
import { formatNumber, parseNumber } from "../../units/number.ts";
import { UsageError } from "../../units/usage_error.ts";

const BOUNDS: Readonly<Record<Notation, readonly [number, number]>> = {
  count: [-5, 19],
  octal: [0, 0o777],
  decimal: [0.01, 64],
  duration: [1, 3_600_000],
  seconds: [1, 90],
  size: [0, 1_048_576],
};

const parse = (text: string, notation: Notation) => {
  const [min, max] = BOUNDS[notation];
  return parseNumber(text, "--x", { notation, min, max });
};

const good: readonly (readonly [Notation, string, number])[] = [
  ["count", "0", 0],
  ["count", "19", 19],
  ["count", "-5", -5],
  ["octal", "0", 0],
  ["octal", "022", 0o22],
  ["octal", "0077", 0o77],
  ["octal", "777", 0o777],
  ["decimal", "1.5", 1.5],
  ["decimal", ".5", 0.5],
  ["decimal", "2.", 2],
  ["duration", "1m", 60_000],
  ["seconds", "5", 5],
  ["seconds", "1m", 60],
  ["seconds", "1500ms", 2],
  ["size", "0", 0],
  ["size", "1k", 1_024],
];
for (const [notation, text, value] of good) {
  Deno.test(`parseNumber() parses "${text}" as ${notation}`, () => assert.equal(parse(text, notation), value));
}

const bad: readonly (readonly [Notation, string, RegExp])[] = [
  ["count", "20", /^Invalid value "20" for --x: give an integer from -5 to 19$/],
  ["count", "-6", /^Invalid value "-6"/],
  ["count", "", /^Invalid value ""/],
  ["count", "05", /^Invalid value "05"/],
  ["count", "1.5", /^Invalid value "1.5"/],
  ["count", "1e1", /^Invalid value "1e1"/],
  ["octal", "8", /^Invalid value "8" for --x: give octal digits from 0 to 777$/],
  ["octal", "1000", /^Invalid value "1000"/],
  ["octal", "00022", /^Invalid value "00022"/],
  ["octal", "0o22", /^Invalid value "0o22"/],
  ["octal", "u=rwx", /^Invalid value "u=rwx"/],
  ["octal", "-1", /^Invalid value "-1"/],
  ["decimal", "0", /^Invalid value "0" for --x: give a number from 0.01 to 64, such as 1.5$/],
  ["decimal", "1e1", /^Invalid value "1e1"/],
  ["decimal", "NaN", /^Invalid value "NaN"/],
  ["duration", "2h", /^Duration "2h" for --x/],
  ["duration", "5", /^Invalid duration "5" for --x/],
  ["seconds", "0", /^Invalid value "0" for --x: give seconds or a duration from 1s to 1m30s, such as 90 or "1m30s"$/],
  ["seconds", "1ms", /^Duration "1ms" for --x/],
  ["seconds", "2m", /^Invalid value "2m"/],
  ["size", "2m", /^Invalid value "2m" for --x: give a size from 0 bytes to 1 MiB, such as "500k"$/],
  ["size", "00", /^Invalid value "00"/],
  ["size", "x", /^Invalid value "x" for --x: give a size/],
];
for (const [notation, text, message] of bad) {
  Deno.test(`parseNumber() refuses "${text}" as ${notation}`, () => {
    assert.throws(
      () => parse(text, notation),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  });
}

Deno.test("formatNumber() returns texts that parseNumber() accepts", () => {
  assert.equal(formatNumber(0o22, "octal"), "22");
  assert.equal(formatNumber(90_000, "duration"), "1m30s");
  assert.equal(formatNumber(1.5, "decimal"), "1.5");
  assert.equal(formatNumber(-5, "count"), "-5");
});

Deno.test("parseNumber() accepts leading zeros where the format allows them", () => {
  const format = { notation: "count", min: 0, max: 99, allowsLeadingZeros: true } as const;
  assert.equal(parseNumber("007", "--tail", format), 7);
  assert.throws(() => parseNumber("0100", "--tail", format), UsageError);
  assert.throws(() => parseNumber("-07", "--tail", format), UsageError);
});

Deno.test("parseNumber() names no greatest value where only the type of the number sets one", () => {
  const refusal = (text: string, notation: Notation, min: number) => {
    try {
      parseNumber(text, "--x", { notation, min, max: Number.MAX_SAFE_INTEGER });
      assert.fail("It must be refused");
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return error.message;
    }
  };
  assert.equal(
    refusal("0", "size", 1_048_576),
    'Invalid value "0" for --x: give a size from 1 MiB, such as "100MB" or "1GiB"',
  );
  assert.equal(
    refusal("x", "size", 1),
    'Invalid value "x" for --x: give a size from 1 byte, such as "500k", "100MB" or "1GiB"',
  );
  assert.equal(refusal("5", "count", 20), 'Invalid value "5" for --x: give an integer from 20');
});
