/** Calls a function for several jobs and prints an error for each that fails. */
import { errorExitCode, EXIT_CODE } from "../exit_code.ts";
import { batchesOf } from "./batches.ts";
import { type ResolveCalls, resolveJob } from "./resolve.ts";
import type { Print } from "../print/print.ts";

/**
 * Finds each job, calls `act` with its full id, several at a time, and `printResult` for each result in the order of the
 * jobs. An error is printed to stderr and does not stop the others.
 *
 * @param texts ids, beginnings of ids, or names
 *
 * @returns 0, or the exit code of the first error
 */
export async function forEachJob<Result>(
  { calls, print }: { readonly calls: ResolveCalls; readonly print: Print },
  texts: readonly string[],
  act: (id: string) => Promise<Result>,
  printResult: (result: Result, id: string) => Promise<void>,
): Promise<number> {
  let exitCode: number = EXIT_CODE.OK;
  for (const batch of batchesOf(texts)) {
    const results = await Promise.allSettled(batch.map(async (text) => {
      const id = await resolveJob(calls, text);
      return { id, value: await act(id) };
    }));
    for (const result of results) {
      if (result.status === "fulfilled") {
        await printResult(result.value.value, result.value.id);
      } else {
        await print.note(result.reason instanceof Error ? result.reason.message : String(result.reason));
        if (exitCode === EXIT_CODE.OK) exitCode = errorExitCode(result.reason);
      }
    }
  }
  return exitCode;
}
