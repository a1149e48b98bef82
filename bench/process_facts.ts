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
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Returns how often each thread has gone to sleep so far. Each time, something had woken it before. */
export function sleeps(pid: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    counts.set(name, statusField(`/proc/${pid}/task/${name}/status`, "voluntary_ctxt_switches"));
  }
  return counts;
}
