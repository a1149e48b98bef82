/** Names a process so that another process of this machine can tell later whether it is gone. */
import { bootId } from "../../linux/boot_id.ts";
import { readEntry } from "../../linux/procfs.ts";

/** The facts that identify a process. */
interface Mark {
  readonly host: string;
  readonly boot: string;
  /** The namespace of its pid; pid_namespaces(7). */
  readonly namespace: string;
  readonly pid: number;
  readonly startTime: number | undefined;
}

/** Returns the mark of a process of this machine. */
export function processMark(pid: number): string {
  const mark: Mark = { host: Deno.hostname(), boot: bootId(), namespace: namespace(), pid, startTime: startTime(pid) };
  return JSON.stringify(mark);
}

/** Returns true if the process is certainly gone. False for one of another machine, which cannot be seen from here. */
export function isMarkGone(text: string): boolean {
  const mark = readMark(text);
  if (mark === undefined || mark.host !== Deno.hostname()) return false;
  if (mark.boot !== bootId()) return mark.boot !== "" && bootId() !== "";
  return mark.namespace === namespace() && startTime(mark.pid) !== mark.startTime;
}

function readMark(text: string): Partial<Mark> & Pick<Mark, "pid"> | undefined {
  try {
    const mark = JSON.parse(text) as Partial<Mark> | null;
    return typeof mark?.pid === "number" ? { ...mark, pid: mark.pid } : undefined;
  } catch {
    return undefined; // It was not written to its end.
  }
}

function namespace(): string {
  try {
    return Deno.readLinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function startTime(pid: number): number | undefined {
  const entry = readEntry(pid);
  return entry?.zombie ? undefined : entry?.startTime;
}
