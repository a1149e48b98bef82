/**
 * Reads the processes of this machine from /proc. Sources: proc_pid_stat(5), proc_pid_status(5), proc_pid_environ(5),
 * proc_pid_limits(5), proc_pid_task(5).
 */

/** One process as /proc/PID/stat shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** In clock ticks since boot: together with the pid it names one process for ever. */
  readonly startTime: number;
  /** No thread of it lives. */
  readonly zombie: boolean;
  /** A thread that lives. Present where the first thread has ended and others go on, as pthread_exit(3) in main() does. */
  readonly thread?: number;
  /** It stands still: by SIGSTOP and the like, or by a debugger. */
  readonly stopped: boolean;
  /** What it has used, and what those used of its children that it waited for. */
  readonly ticks: CpuTicks;
}

/** Processor time in hundredths of a second, the unit of /proc whatever the kernel's clock does: USER_HZ, time(7). */
export interface CpuTicks {
  readonly user: number;
  readonly system: number;
}

/** Reads one process; undefined when it is gone. */
export function readEntry(pid: number): ProcessEntry | undefined {
  const fields = readFields(`${pid}`);
  if (fields === undefined) return undefined;
  // The state is that of the first thread. Where it has ended, the process lives on as long as another thread does.
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

/** A thread of a process that has not ended; undefined where there is none. */
function livingThread(pid: number): { readonly thread: number; readonly fields: string[] } | undefined {
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      const fields = readFields(`${pid}/task/${name}`);
      if (fields !== undefined && !isDead(fields)) return { thread: Number(name), fields };
    }
  } catch {
    // It is gone.
  }
  return undefined;
}

/** The directory of a process that has its memory: the first thread gives its own back when it ends. */
function directoryOf({ pid, thread }: Pick<ProcessEntry, "pid" | "thread">): string {
  return thread === undefined ? `${pid}` : `${pid}/task/${thread}`;
}

/** What all children of this process used that were waited for; undefined where that cannot be read. */
export function readChildrenTicks(): CpuTicks | undefined {
  const fields = readFields("self");
  return fields && { user: Number(fields[13]), system: Number(fields[14]) };
}

/** The fields of `stat` in a directory of /proc from the third on. */
function readFields(directory: string): string[] | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${directory}/stat`);
  } catch {
    return undefined;
  }
  // The name in parentheses may hold spaces and parentheses itself: the fields begin behind the last one.
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Memory of a process in bytes, what it shares with others included, now and at most; undefined when it has none. */
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
 * Reads all processes. Calls made in the same turn of the event loop share one reading, which begins after all of
 * them: jobs end in crowds, and a reading costs about 20 µs a process. Undefined where /proc cannot be read: it is not
 * mounted, or the program runs without `--allow-all`, which Deno wants for it.
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

/** On a machine that starts processes all the time there is always one more. */
const MAX_LOOKS = 10;

/**
 * Looks until no process is new: one that ends while others are read may have left another, which was not there at the
 * first look (daemons are made so). Then every process that is there was read, or its parent was while it lived.
 */
function readAll(): ProcessEntry[] | undefined {
  const entries = new Map<number, ProcessEntry | undefined>();
  try {
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
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

/** Reads a hard limit of a process by its name in /proc/PID/limits; undefined when it is gone. Everybody may read it. */
export function readHardLimit(name: string, { pid }: Pick<ProcessEntry, "pid">): string | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/limits`);
  } catch {
    return undefined;
  }
  return text.split(`Max ${name} `, 2)[1]?.trimStart().split(/\s+/, 2)[1];
}

/** proc_pid_stat(5): of a thread of the kernel. */
const PF_KTHREAD = 0x00200000;

/**
 * Reads a variable from the environment of a process. Null: it has no such variable, or is of a user whose processes this
 * one may not look into. Undefined: that cannot be told yet, or it is gone.
 */
export function readVariable(name: string, entry: ProcessEntry): string | null | undefined {
  const read = readEnvironment(entry);
  if (read === undefined || read === null) return read;
  if (read === "") {
    // The kernel shows an empty one until it knows where it ends, which an execve sets last; and of one that ends.
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
