/** Calls a function for several jobs and prints an error for each that fails. */
import { errorExitCode, EXIT_CODE } from "../exit_code.ts";
import type { Print } from "../print/print.ts";

/** The number of calls at a time, below the 100 streams that HTTP/2 servers commonly allow on a connection. */
const MAX_AT_ONCE = 32;

/**
 * Calls `act` for each id, several at a time, and `printResult` for each result in the order of the ids. An error is
 * printed to stderr and does not stop the others.
 *
 * @returns 0, or the exit code of the first error
 */
export async function forEachJob<Result>(
  print: Print,
  ids: readonly string[],
  act: (id: string) => Promise<Result>,
  printResult: (result: Result, id: string) => Promise<void>,
): Promise<number> {
  let exitCode: number = EXIT_CODE.OK;
  for (let at = 0; at < ids.length; at += MAX_AT_ONCE) {
    const batch = ids.slice(at, at + MAX_AT_ONCE);
    const results = await Promise.allSettled(batch.map(act));
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") {
        await printResult(result.value, batch[index]!);
      } else {
        await print.note(result.reason instanceof Error ? result.reason.message : String(result.reason));
        if (exitCode === EXIT_CODE.OK) exitCode = errorExitCode(result.reason);
      }
    }
  }
  return exitCode;
}
