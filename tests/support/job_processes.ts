/** Looks for processes of jobs, for tests that no process is left. */
import { scanProcesses } from "../../worker/linux/procfs.ts";

/** Returns the pids of the living processes with the mark of a job, also of those that did not print their pid. */
export async function markedProcesses(ids: ReadonlySet<string>): Promise<number[]> {
  const entries = await scanProcesses() ?? [];
  return entries.filter(({ zombie }) => !zombie).map(({ pid }) => pid).filter((pid) => {
    try {
      const mark = /(?:^|\0)TELEPORT_ID=([^\0]*)/.exec(Deno.readTextFileSync(`/proc/${pid}/environ`))?.[1];
      return mark !== undefined && ids.has(mark);
    } catch {
      return false;
    }
  });
}

/** Returns true if any thread of a process lives. */
export function hasThread(pid: number): boolean {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].some(({ name }) =>
      !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/task/${name}/stat`))
    );
  } catch {
    return false;
  }
}
