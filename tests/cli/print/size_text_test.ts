/** Sizes and times for people. */
import assert from "node:assert/strict";
import { formatAge, formatBytes } from "../../../cli/print/size_text.ts";

Deno.test("formatBytes() rounds in the unit that fits", () => {
  const sizes: [number, string][] = [
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1023 bytes"],
    [1024, "1.0 KiB"],
    [3_633_152, "3.5 MiB"],
    [1_048_575, "1.0 MiB"],
    [2 ** 30 * 512, "512 GiB"],
    [Number.MAX_SAFE_INTEGER, "8.0 PiB"],
  ];
  for (const [bytes, text] of sizes) assert.equal(formatBytes(bytes), text);
});

Deno.test("formatAge() rounds down, and takes a clock that is ahead", () => {
  const ages: [number, string][] = [
    [-5, "0s"],
    [999, "0s"],
    [95_000, "95s"],
    [120_000, "2m"],
    [303_000, "5m3s"],
    [3_600_000, "60m"],
    [12_000_000, "3h20m"],
    [47 * 3_600_000, "47h"],
    [50 * 3_600_000, "2d2h"],
    [400 * 86_400_000, "400d"],
    [800 * 86_400_000, "2y70d"],
  ];
  for (const [ms, text] of ages) assert.equal(formatAge(ms), text);
});
