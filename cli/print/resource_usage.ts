/** The lines of a status about the resource usage of a job and about its end. */
import type { JobStatus, Usage, UsageSource } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { rfc3339 } from "./message_json.ts";
import { formatBytes } from "./size_text.ts";

/** The accuracy of a figure, by its source. */
const ACCURACY: Readonly<Record<UsageSource, string>> = {
  USAGE_SOURCE_UNSPECIFIED: "",
  USAGE_SOURCE_CGROUP: "",
  USAGE_SOURCE_RUSAGE: ", without processes that it left behind",
  USAGE_SOURCE_PROC: ", at least",
};

/** Returns the lines about resource usage. A text is empty when the figure is unknown. */
export function usageRows(usage: Usage | null): [string, string][] {
  if (usage === null) return [];
  const { cpu_user_us, cpu_system_us, cpu_source, memory_bytes, peak_memory_bytes, memory_source } = usage;
  const { processes, oom_kills } = usage;
  const cpu = cpu_user_us === undefined || cpu_system_us === undefined
    ? ""
    : `${seconds(cpu_user_us)} user, ${seconds(cpu_system_us)} system${ACCURACY[cpu_source]}`;
  const memory = [
    memory_bytes === undefined ? "" : `${formatBytes(memory_bytes)} now`,
    peak_memory_bytes === undefined ? "" : `${formatBytes(peak_memory_bytes)} at most${peakAccuracy(memory_source)}`,
  ];
  return [
    ["Processor", cpu],
    ["Memory", memory.filter((part) => part !== "").join(", ")],
    ["Processes", processes === undefined ? "" : `${processes}`],
    ["Out of memory", oom_kills ? `${oom_kills} of its processes killed` : ""],
  ];
}

function peakAccuracy(source: UsageSource): string {
  return source === "USAGE_SOURCE_PROC" ? " when it was read" : "";
}

function seconds(us: number): string {
  return `${(us / 1_000_000).toFixed(us < 1_000_000 ? 3 : 2)}s`;
}

function otherProcesses(count: number): string {
  return `${count} other process${count === 1 ? "" : "es"}`;
}

/** Returns the lines about who requested what, and about the end of the job. */
export function endRows(status: JobStatus): [string, string][] {
  const { started_by, stop_asked_by, signals, term_sent_at, kill_sent_at, others_ended, others_left } = status;
  const sent = signals.map(({ by, signal, at }) =>
    `${escapeTerminal(signal)} by ${escapeTerminal(by)}${at === null ? "" : ` at ${rfc3339(at)}`}`
  );
  return [
    ["Started by", escapeTerminal(started_by)],
    ["Stop asked by", escapeTerminal(stop_asked_by)],
    ["Signals", sent.join(", ")],
    ["Asked to end", term_sent_at === null ? "" : `${rfc3339(term_sent_at)}, by SIGTERM`],
    ["Killed", kill_sent_at === null ? "" : `${rfc3339(kill_sent_at)}, because it had not ended`],
    ["Ended with it", others_ended === 0 ? "" : otherProcesses(others_ended)],
    ["Left running", others_left === 0 ? "" : `${otherProcesses(others_left)} that could not be ended`],
  ];
}
