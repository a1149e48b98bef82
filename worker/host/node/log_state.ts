/** The state of a log of which a gateway has a part. */
import type { LogRange } from "../../output/cursor.ts";
import { NO_TOTALS } from "../../output/mirror_log.ts";
import type { LogState } from "../link.ts";

/** Returns the state of a log that ends where it ends here. Its digests are not known. */
export function logStateOf({ start, end }: Readonly<LogRange>): LogState {
  const { stdout, stderr } = end.offsets;
  const droppedBytes = start.offsets.stdout + start.offsets.stderr;
  return { start, end, totals: { ...NO_TOTALS, stdoutBytes: stdout, stderrBytes: stderr, droppedBytes } };
}
