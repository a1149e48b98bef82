/** The resource usage of a job as a message. */
import type { Usage, UsageSource } from "../../mod.ts";
import type { Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";

/** Returns the resource usage of a job, and the source of each value, as a message. */
export function usageMessage(usage: Usage): Sent<wire.Usage> {
  return {
    cpu_user_us: usage.cpuUserUs,
    cpu_system_us: usage.cpuSystemUs,
    cpu_source: sourceOf(usage.cpuSource),
    memory_bytes: usage.memoryBytes,
    peak_memory_bytes: usage.peakMemoryBytes,
    memory_source: sourceOf(usage.memorySource),
    processes: usage.processes,
    oom_kills: usage.oomKills,
  };
}

function sourceOf(source: UsageSource | undefined): wire.UsageSource {
  return source === undefined ? "USAGE_SOURCE_UNSPECIFIED" : `USAGE_SOURCE_${source}`;
}
