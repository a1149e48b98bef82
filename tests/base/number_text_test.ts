/** Tests of base/number_text.ts. */
import assert from "node:assert/strict";
import { formatBound, formatDuration, formatSize } from "../../base/number_text.ts";

Deno.test("formatDuration() uses the units from hours to milliseconds", () => {
  const texts = { "0s": 0, "1ms": 1, "1m30s": 90_000, "2h": 7_200_000, "48h": 172_800_000, "1h1ms": 3_600_001 };
  for (const [text, ms] of Object.entries(texts)) assert.equal(formatDuration(ms), text);
});

Deno.test("formatSize() is exact, and uses the unit that gives the shortest number", () => {
  const texts = {
    "0 bytes": 0,
    "1 byte": 1,
    "1023 bytes": 1_023,
    "1 KiB": 1_024,
    "1 kB": 1_000,
    "1 MiB": 1_048_576,
    "100 MB": 100_000_000,
    "3 GB": 3_000_000_000,
    "1536 MiB": 1_610_612_736,
    "1048577 bytes": 1_048_577,
  };
  for (const [text, bytes] of Object.entries(texts)) assert.equal(formatSize(bytes), text);
});

Deno.test("formatBound() writes a number in its notation", () => {
  assert.equal(formatBound(90, "seconds"), "1m30s");
  assert.equal(formatBound(0o777, "octal"), "777");
  assert.equal(formatBound(1.5, "decimal"), "1.5");
  assert.equal(formatBound(20, "count"), "20");
});
