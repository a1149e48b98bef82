/** The processor time and memory of a process, read from /proc. Source: proc_pid_status(5), proc_pid_stat(5). */

/** The clock tick that /proc counts in: 1/100 s on every Linux that Deno runs on (USER_HZ). */
const TICK_MS = 10;

function statusField(path: string, name: string): number {
  const value = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(Deno.readTextFileSync(path))?.[1];
  if (value === undefined) throw new Error(`Cannot find "${name}" in "${path}"`);
  return Number(value);
}

/** Memory in use now, in bytes. */
export function rssBytes(pid: number): number {
  return statusField(`/proc/${pid}/status`, "VmRSS") * 1024;
}

/** The memory of a process, in bytes. A page that processes share counts in each of them. */
export interface Memory {
  readonly rss: number;
  /** The part of files, such as the program. Other processes share it. */
  readonly file: number;
  /** As `rss`, but a page that n processes have counts as one nth. */
  readonly pss: number;
}

/** Returns the memory in use now, by kind. */
export function memoryOf(pid: number): Memory {
  const kib = (path: string, name: string) => statusField(`/proc/${pid}/${path}`, name) * 1024;
  return { rss: kib("status", "VmRSS"), file: kib("status", "RssFile"), pss: kib("smaps_rollup", "Pss") };
}

/** The most memory in use at any time since the start or {@linkcode resetPeak}, in bytes. */
export function peakBytes(pid: number): number {
  return statusField(`/proc/${pid}/status`, "VmHWM") * 1024;
}

/** Resets the peak. */
export function resetPeak(pid: number): void {
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Processor time used so far by all threads, in milliseconds. */
export function cpuMs(pid: number): number {
  return ticksMs(String(pid), 11);
}

/** Processor time used by the children that have ended so far, in milliseconds. */
export function endedChildrenCpuMs(pid: number): number {
  return ticksMs(String(pid), 13);
}

/** Returns the sum of a field and the next one, after the name. The first is the time in user mode. */
function ticksMs(path: string, field: number): number {
  const text = Deno.readTextFileSync(`/proc/${path}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[field]) + Number(fields[field + 1])) * TICK_MS;
}

/** Returns how often each thread has gone to sleep so far. Each time, something had woken it before. */
export function sleeps(pid: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    counts.set(name, statusField(`/proc/${pid}/task/${name}/status`, "voluntary_ctxt_switches"));
  }
  return counts;
}

/** Processor time used so far by the main thread, which runs the program's own code, in milliseconds. */
export function threadCpuMs(pid: number): number {
  return ticksMs(`${pid}/task/${pid}`, 11);
}

/** Returns the ids of the processes that this one has started and that have not ended. */
export function childrenOf(pid: number): number[] {
  const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** Processor time that all programs of the machine have used so far, in milliseconds. Source: proc_stat(5). */
export function machineCpuMs(): number {
  const fields = Deno.readTextFileSync("/proc/stat").split("\n", 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = NaN, nice = NaN, system = NaN, _idle, _wait, interrupt = NaN, softInterrupt = NaN, stolen = NaN] =
    fields;
  return (user + nice + system + interrupt + softInterrupt + stolen) * TICK_MS;
}
