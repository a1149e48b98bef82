/**
 * Reads the processes of this host from /proc. Sources: proc_pid_stat(5), proc_pid_status(5), proc_pid_environ(5),
 * proc_pid_limits(5), proc_pid_task(5).
 */

/** One process, as /proc/PID/stat shows it. */
export interface ProcessEntry {
  readonly pid: number;
  /** The pid of its parent. */
  readonly ppid: number;
  /** The id of its process group. */
  readonly pgrp: number;
  /** The id of its session. */
  readonly session: number;
  /** In clock ticks since boot. Together with the pid, it identifies one process until the next boot. */
  readonly startTime: number;
  /** True if none of its threads lives. */
  readonly zombie: boolean;
  /** A living thread. Present only if the first thread has ended before others, as after pthread_exit(3) in main(). */
  readonly thread?: number;
  /** True if a signal such as SIGSTOP, or a debugger, has stopped it. */
  readonly stopped: boolean;
  /** The processor time that it has used, with that of the children that it waited for. */
  readonly ticks: CpuTicks;
}

/** Processor time in hundredths of a second, the unit of /proc: USER_HZ, time(7). */
export interface CpuTicks {
  readonly user: number;
  readonly system: number;
}

/** Reads one process. Undefined if it no longer exists. */
export function readEntry(pid: number): ProcessEntry | undefined {
  const fields = readFields(`${pid}`);
  if (fields === undefined) return undefined;
  // The state is that of the first thread. The process lives as long as any of its threads.
  const others = isDead(fields) && Number(fields[17]) > 1 ? livingThread(pid) : undefined;
  const state = (others?.fields ?? fields)[0];
  return {
    pid,
    ppid: Number(fields[1]),
    pgrp: Number(fields[2]),
    session: Number(fields[3]),
    startTime: Number(fields[19]),
    zombie: state === "Z" || state === "X",
    ...(others === undefined ? {} : { thread: others.thread }),
    stopped: state === "T" || state === "t",
    ticks: { user: Number(fields[11]) + Number(fields[13]), system: Number(fields[12]) + Number(fields[14]) },
  };
}

function isDead([state]: readonly string[]): boolean {
  return state === "Z" || state === "X";
}

/** Returns a living thread of a process. Undefined if it has none. */
function livingThread(pid: number): { readonly thread: number; readonly fields: string[] } | undefined {
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      const fields = readFields(`${pid}/task/${name}`);
      if (fields !== undefined && !isDead(fields)) return { thread: Number(name), fields };
    }
  } catch {
    // The process no longer exists.
  }
  return undefined;
}

/** Returns the directory that shows the memory of a process. An ended first thread shows none. */
function directoryOf({ pid, thread }: Pick<ProcessEntry, "pid" | "thread">): string {
  return thread === undefined ? `${pid}` : `${pid}/task/${thread}`;
}

/** Returns the processor time of all children that this process waited for. Undefined if /proc cannot be read. */
export function readChildrenTicks(): CpuTicks | undefined {
  const fields = readFields("self");
  return fields && { user: Number(fields[13]), system: Number(fields[14]) };
}

/** Returns the fields of `stat` in a directory of /proc, from the third on. */
function readFields(directory: string): string[] | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${directory}/stat`);
  } catch {
    return undefined;
  }
  // The name in parentheses may contain spaces and parentheses. The fields follow the last parenthesis.
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Returns the memory of a process in bytes, shared memory included, now and at its peak. Undefined if it has none. */
export function readMemory(
  entry: Pick<ProcessEntry, "pid" | "thread">,
): { readonly nowBytes: number; readonly peakBytes: number } | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${directoryOf(entry)}/status`);
  } catch {
    return undefined;
  }
  const bytesOf = (name: string) => Number(new RegExp(`^${name}:\\s+([0-9]+) kB$`, "m").exec(text)?.[1]) * 1_024;
  const nowBytes = bytesOf("VmRSS");
  const peakBytes = bytesOf("VmHWM");
  return nowBytes >= 0 && peakBytes >= 0 ? { nowBytes, peakBytes } : undefined;
}

let nextScan: Promise<readonly ProcessEntry[] | undefined> | undefined;

/**
 * Reads all processes. Undefined if /proc cannot be read: it is not mounted, or the program runs without `--allow-all`.
 *
 * Many jobs end at the same time, and a scan costs about 20 µs a process. So the calls in one turn of the event loop share
 * one scan, which begins after all of them.
 */
export function scanProcesses(): Promise<readonly ProcessEntry[] | undefined> {
  nextScan ??= new Promise((resolve) => {
    setImmediate(() => {
      nextScan = undefined;
      resolve(readAll());
    });
  });
  return nextScan;
}

/** The most rounds of a scan. On a host that starts processes all the time, each round finds a new one. */
const MAX_ROUNDS = 10;

/**
 * Reads the processes in rounds, until a round finds no new process. A process that ends during a round may have started
 * another one (a daemon). After the last round, every process was read, or its parent was read while it lived.
 */
function readAll(): ProcessEntry[] | undefined {
  const entries = new Map<number, ProcessEntry | undefined>();
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const fresh = pidsNow().filter((pid) => !entries.has(pid));
      if (fresh.length === 0) break;
      for (const pid of fresh) entries.set(pid, readEntry(pid));
    }
  } catch {
    return undefined;
  }
  const found = [...entries.values()].filter((entry) => entry !== undefined);
  return found.length > 0 ? found : undefined;
}

function pidsNow(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

/**
 * Reads a hard limit of a process by its name in /proc/PID/limits, which every user may read. Undefined if the process no
 * longer exists.
 */
export function readHardLimit(name: string, { pid }: Pick<ProcessEntry, "pid">): string | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/limits`);
  } catch {
    return undefined;
  }
  return text.split(`Max ${name} `, 2)[1]?.trimStart().split(/\s+/, 2)[1];
}

/** Returns true if a process ignores SIGTERM, so that the signal has no effect. False if that cannot be read. */
export function ignoresTerm(pid: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) >> SIGTERM_BIT & 1n) === 1n;
  } catch {
    return false;
  }
}

/** Signal 15 is the bit 14. */
const SIGTERM_BIT = 14n;

/** The flag of a kernel thread: proc_pid_stat(5). */
const PF_KTHREAD = 0x00200000;

/**
 * Reads a variable from the environment of a process.
 *
 * @returns null if the process has no such variable, or its environment may not be read. Undefined if that is not known
 * yet, or the process no longer exists
 */
export function readVariable(name: string, entry: ProcessEntry): string | null | undefined {
  const read = readEnvironment(entry);
  if (read === undefined || read === null) return read;
  if (read === "") {
    // The kernel shows an empty environment until execve(2) has set its end, and while the process ends.
    const fields = readFields(directoryOf(entry));
    const isThread = (Number(fields?.[6]) & PF_KTHREAD) !== 0;
    const [start, end] = fields?.slice(47, 49) ?? [];
    return isThread || (start === end && end !== "0") ? null : undefined;
  }
  const environment = `\0${read}`;
  const start = environment.indexOf(`\0${name}=`);
  if (start < 0) return null;
  const from = start + name.length + 2;
  const end = environment.indexOf("\0", from);
  return environment.slice(from, end < 0 ? undefined : end);
}

function readEnvironment(entry: ProcessEntry): string | null | undefined {
  try {
    return decoder.decode(Deno.readFileSync(`/proc/${directoryOf(entry)}/environ`));
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable ? null : undefined;
  }
}

const decoder = new TextDecoder("latin1");
