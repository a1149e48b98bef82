/** The lines of a status about resource usage. */
import assert from "node:assert/strict";
import { usageRows } from "../../../cli/print/resource_usage.ts";
import type { Usage } from "../../../proto/teleport/v1/job_worker.ts";

Deno.test("usageRows() describes the accuracy of each figure", () => {
  const rows = (usage: Partial<Usage>) =>
    usageRows({ cpu_source: "USAGE_SOURCE_UNSPECIFIED", memory_source: "USAGE_SOURCE_UNSPECIFIED", ...usage })
      .filter(([, value]) => value !== "").map((row) => row.join(": "));
  assert.deepEqual(rows({}), []);
  assert.deepEqual(usageRows(null), []);
  const cpu = { cpu_user_us: 10_000, cpu_system_us: 0 };
  assert.deepEqual(rows({ ...cpu, cpu_source: "USAGE_SOURCE_RUSAGE" }), [
    "Processor: 0.010s user, 0.000s system, without processes that it left behind",
  ]);
  assert.deepEqual(rows({ ...cpu, cpu_source: "USAGE_SOURCE_PROC" }), [
    "Processor: 0.010s user, 0.000s system, at least",
  ]);
  const memory = { memory_bytes: 5, peak_memory_bytes: 7, memory_source: "USAGE_SOURCE_PROC", processes: 2 } as const;
  assert.deepEqual(rows({ ...memory, oom_kills: 3 }), [
    "Memory: 5 bytes now, 7 bytes at most when it was read",
    "Processes: 2",
    "Out of memory: 3 of its processes killed",
  ]);
});
