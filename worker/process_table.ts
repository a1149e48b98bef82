/**
 * Which processes belong to a job, read from /proc: its process group, its session, their descendants, and those that
 * carry the job's mark in their environment. Sources: proc_pid_stat(5), proc_pid_environ(5),
 * proc_pid_status(5).
 */

/** One process as /proc/PID/stat shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** In clock ticks since boot: together with the pid it names one process for ever. */
  readonly startTime: number;
  readonly zombie: boolean;
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

/** What tells a job's processes from all others. */
export interface Membership {
  /** The leader's pid, which is the id of its process group and session too. */
  readonly leader: number;
  /** The leader's start time: nothing older belongs to it. */
  readonly startTime: number;
  /** The value of `MARK_VARIABLE` in the environment of every process of the job that has not cleared it. */
  readonly mark: string;
  /**
   * True where nobody watched the leader up to now. Its pid may have become another's since, who is gone too and left a
   * group or session of that number: it is believed only while the leader is there, or a member carries the mark.
   */
  readonly wasUnwatched?: boolean;
}

/** The variable by which processes are known that left the group and the session and lost their parent (daemons). */
export const MARK_VARIABLE = "TELEPORT_ID";

/** Reads one process; undefined when it is gone. */
export function readEntry(pid: number): ProcessEntry | undefined {
  const fields = readFields(pid);
  if (fields === undefined) return undefined;
  return {
    pid,
    ppid: Number(fields[1]),
    pgrp: Number(fields[2]),
    session: Number(fields[3]),
    startTime: Number(fields[19]),
    zombie: fields[0] === "Z" || fields[0] === "X",
    stopped: fields[0] === "T" || fields[0] === "t",
    ticks: { user: Number(fields[11]) + Number(fields[13]), system: Number(fields[12]) + Number(fields[14]) },
  };
}

/** What all children of this process used that were waited for; undefined where that cannot be read. */
export function readChildrenTicks(): CpuTicks | undefined {
  const fields = readFields("self");
  return fields && { user: Number(fields[13]), system: Number(fields[14]) };
}

/** The fields of /proc/PID/stat from the third on. */
function readFields(pid: number | "self"): string[] | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  // The name in parentheses may hold spaces and parentheses itself: the fields begin behind the last one.
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Memory of a process in bytes, what it shares with others included, now and at most; undefined when it has none. */
export function readMemory(pid: number): { readonly nowBytes: number; readonly peakBytes: number } | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/status`);
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

function readAll(): ProcessEntry[] | undefined {
  const entries: ProcessEntry[] = [];
  try {
    for (const { name } of Deno.readDirSync("/proc")) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const entry = readEntry(pid);
      if (entry !== undefined) entries.push(entry);
    }
  } catch {
    return undefined;
  }
  return entries.length > 0 ? entries : undefined;
}

/**
 * Returns the living processes of a job among those read. Empty when the leader's pid is now another process's: then
 * the group is gone, for the kernel gives no pid away that is still a group's or session's id.
 */
export function membersOf(entries: readonly ProcessEntry[], job: Membership): ProcessEntry[] {
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  const leader = byPid.get(job.leader);
  const isInGroup = ({ session, pgrp }: ProcessEntry) => session === job.leader || pgrp === job.leader;
  const reused = leader !== undefined
    ? leader.startTime !== job.startTime
    : job.wasUnwatched === true && !entries.some((entry) => isInGroup(entry) && markOf(entry) === job.mark);
  const verdicts = new Map<number, boolean>();
  const belongs = (entry: ProcessEntry): boolean => {
    const known = verdicts.get(entry.pid);
    if (known !== undefined) return known;
    verdicts.set(entry.pid, false);
    if (entry.startTime < job.startTime) return false;
    const parent = byPid.get(entry.ppid);
    const verdict = (!reused && isInGroup(entry)) ||
      (parent !== undefined && parent.pid !== 1 && belongs(parent)) ||
      markOf(entry) === job.mark;
    verdicts.set(entry.pid, verdict);
    return verdict;
  };
  return entries.filter((entry) => !entry.zombie && belongs(entry));
}

/** Marks already read: an entry lives as long as its reading, so this holds no more than that. */
const marks = new WeakMap<ProcessEntry, string | null>();

function markOf(entry: ProcessEntry): string | null {
  let mark = marks.get(entry);
  if (mark === undefined) {
    mark = readMark(entry.pid);
    marks.set(entry, mark);
  }
  return mark;
}

function readMark(pid: number): string | null {
  let environment: string;
  try {
    environment = `\0${decoder.decode(Deno.readFileSync(`/proc/${pid}/environ`))}`;
  } catch {
    return null; // Gone, or of a user whose processes this one may not look into (and so could not end).
  }
  const start = environment.indexOf(`\0${MARK_VARIABLE}=`);
  if (start < 0) return null;
  const from = start + MARK_VARIABLE.length + 2;
  const end = environment.indexOf("\0", from);
  return environment.slice(from, end < 0 ? undefined : end);
}

const decoder = new TextDecoder("latin1");
