/** Does the same for several jobs and tells of each that failed. */
import { errorExitCode, EXIT_CODE } from "../exit_code.ts";
import type { Print } from "../print/print.ts";

/** As many calls at a time: below the 100 streams that HTTP/2 servers commonly allow a connection. */
const MAX_AT_ONCE = 32;

/**
 * Calls `act` for each id, several at a time, then `tell` for each result in the order of the ids. A failure is told
 * on stderr and does not keep the others from being done.
 *
 * @returns 0, or the exit code of the first failure
 */
export async function forEachJob<Result>(
  print: Print,
  ids: readonly string[],
  act: (id: string) => Promise<Result>,
  tell: (result: Result, id: string) => Promise<void>,
): Promise<number> {
  let exitCode: number = EXIT_CODE.OK;
  for (let at = 0; at < ids.length; at += MAX_AT_ONCE) {
    const some = ids.slice(at, at + MAX_AT_ONCE);
    const results = await Promise.allSettled(some.map(act));
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") {
        await tell(result.value, some[index]!);
      } else {
        await print.note(result.reason instanceof Error ? result.reason.message : String(result.reason));
        if (exitCode === EXIT_CODE.OK) exitCode = errorExitCode(result.reason);
      }
    }
  }
  return exitCode;
}
