/** Computes how much of the disk the jobs of a supervisor may use. */
import { statfsSync } from "node:fs";
import type { SupervisorOptions } from "./options.ts";

/**
 * Returns the limit of the disk space for all jobs and their output, in bytes. `Infinity` when there is no limit.
 *
 * @param usedBytes the bytes that jobs use now; `maxDiskShare` is a share of these and of the free space
 */
export function diskLimit(
  { maxOutputBytes, maxDiskShare, directory }: Pick<SupervisorOptions, "maxOutputBytes" | "maxDiskShare" | "directory">,
  usedBytes: number,
): number {
  if (maxOutputBytes !== undefined) return maxOutputBytes;
  if (maxDiskShare === undefined || directory === undefined) return Infinity;
  const { bavail, bsize } = statfsSync(directory);
  return Math.floor(maxDiskShare * (usedBytes + bavail * bsize));
}
