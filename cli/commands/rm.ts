/** `teleport rm`: forgets jobs that do not run, and their output. */
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { eachId } from "../each_id.ts";

/** Removes the jobs and prints the id of each that is gone. */
export function rm({ calls, print }: Context, ids: readonly string[]): Promise<number> {
  return eachId(
    print,
    ids,
    (id) => calls.Remove({ id }, { deadlineMs: CALL_DEADLINE_MS }),
    (_, id) => print.json ? print.record({ id }) : print.line(id),
  );
}
