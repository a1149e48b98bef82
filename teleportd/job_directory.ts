/** Checks the working directory of jobs that set none. */
import { failureReason } from "../base/errno.ts";
import { StartError } from "./start_error.ts";

/**
 * Checks the directory of `--job-dir`, so that a mistake shows at the start and not in every job.
 *
 * @param path the directory; undefined without the option
 * @throws {StartError} when it does not exist or is not a directory
 */
export async function checkJobDirectory(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const refuse = (reason: string, remedy: string, cause?: unknown) =>
    new StartError(`Cannot use the job directory "${path}": ${reason}; ${remedy}`, { cause });
  const info = await Deno.stat(path).catch((error) => {
    throw error instanceof Deno.errors.NotFound
      ? refuse("it does not exist", "make it, or give another --job-dir", error)
      : refuse(failureReason(error), "correct that, or give another --job-dir", error);
  });
  if (!info.isDirectory) throw refuse("it is not a directory", "give another --job-dir");
}
