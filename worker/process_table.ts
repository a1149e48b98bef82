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

/**
 * Whether it is too early to say of these processes that none is the job's. One may have ended between the look at it and
 * the look at its mark, and left another; and in the middle of an execve(2) a process has no environment, so that one
 * which lost its parent and left the session is known by nothing. To be asked after `membersOf` found none.
 */
export function isTooEarly(entries: readonly ProcessEntry[], job: Membership): boolean {
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  // One that lost its parent is a child of one of these: init, or the nearest that asked to be given orphans.
  const adopters = new Set<number>();
  for (let entry = byPid.get(Deno.pid); entry !== undefined; entry = byPid.get(entry.ppid)) {
    if (adopters.has(entry.ppid)) break;
    adopters.add(entry.ppid);
  }
  // Processes of other jobs, and of others' programs, come and go all the time, and must not hold this job up.
  const isAnothers = ({ ppid, session }: ProcessEntry) => ppid === Deno.pid || byPid.get(session)?.ppid === Deno.pid;
  const verdicts = new Map<number, boolean>();
  const isUnknown = (entry: ProcessEntry): boolean => {
    const known = verdicts.get(entry.pid);
    if (known !== undefined) return known;
    verdicts.set(entry.pid, false);
    if (entry.startTime < job.startTime || isAnothers(entry) || markOf(entry) !== undefined) return false;
    const parent = byPid.get(entry.ppid);
    const verdict = parent === undefined || parent.zombie || adopters.has(parent.pid) || isUnknown(parent);
    verdicts.set(entry.pid, verdict);
    return verdict;
  };
  return entries.some((entry) => !entry.zombie && isUnknown(entry));
}

/** Marks already read: an entry lives as long as its reading, so this holds no more than that. */
const marks = new WeakMap<ProcessEntry, { readonly mark: string | null | undefined }>();

/** Null: it has none. Undefined: that cannot be told yet. */
function markOf(entry: ProcessEntry): string | null | undefined {
  let read = marks.get(entry);
  if (read === undefined) {
    read = { mark: readMark(entry.pid) };
    marks.set(entry, read);
  }
  return read.mark;
}

/** proc_pid_stat(5): of a thread of the kernel. */
const PF_KTHREAD = 0x00200000;

function readMark(pid: number): string | null | undefined {
  const read = readEnvironment(pid);
  if (read === undefined || read === null) return read;
  if (read === "") {
    // The kernel shows an empty one until it knows where it ends, which an execve sets last; and of one that ends.
    const fields = readFields(pid);
    const isThread = (Number(fields?.[6]) & PF_KTHREAD) !== 0;
    const [start, end] = fields?.slice(47, 49) ?? [];
    return isThread || (start === end && end !== "0") ? null : undefined;
  }
  const environment = `\0${read}`;
  const start = environment.indexOf(`\0${MARK_VARIABLE}=`);
  if (start < 0) return null;
  const from = start + MARK_VARIABLE.length + 2;
  const end = environment.indexOf("\0", from);
  return environment.slice(from, end < 0 ? undefined : end);
}

/** Undefined: it is gone. Null: it is of a user whose processes this one may not look into, and so could not end. */
function readEnvironment(pid: number): string | null | undefined {
  try {
    return decoder.decode(Deno.readFileSync(`/proc/${pid}/environ`));
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable ? null : undefined;
  }
}

const decoder = new TextDecoder("latin1");
