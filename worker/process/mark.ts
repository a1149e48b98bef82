/** Reads the mark of processes: a variable in the environment of all processes of a job. */
import { type ProcessEntry, readVariable } from "../linux/procfs.ts";

/** The variable that identifies daemons: processes that left the group and the session and lost their parent. */
export const MARK_VARIABLE = "TELEPORT_ID";

/** The marks that were read. An entry lives as long as its scan, so this does not grow. */
const marks = new WeakMap<ProcessEntry, { readonly mark: string | null | undefined }>();

/** Returns the mark of a process; null if it has none, undefined if that is not known yet. */
export function markOf(entry: ProcessEntry): string | null | undefined {
  let read = marks.get(entry);
  if (read === undefined) {
    read = { mark: readVariable(MARK_VARIABLE, entry) };
    marks.set(entry, read);
  }
  return read.mark;
}
