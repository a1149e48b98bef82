/** Ends of jobs, and the ends in a journal, for tests. */
import assert from "node:assert/strict";
import { readEnds } from "../../../worker/host/end_line.ts";
import type { JobChange } from "../../../worker/host/link.ts";

/** An end with an odd text, which comes from a program. */
export function endOf(id: string, error = 'line\n"quoted" \u{1f600} $date'): JobChange {
  const digest = new Uint8Array(32).map((_, index) => index);
  const totals = {
    stdoutBytes: 1,
    stderrBytes: 2,
    droppedBytes: 3,
    stdoutSha256: digest,
    stderrSha256: new Uint8Array(),
  };
  const output = { end: { position: 9, offsets: { stdout: 1, stderr: 2 } }, totals };
  return {
    id,
    number: 2,
    status: { state: "LOST", reason: "LOST", error, startedAt: new Date(5) },
    details: { output, process: { bootId: "b" } },
  };
}

/** Returns the ends in the journal. No line may be damaged. */
export function endsIn(directory: string): JobChange[] {
  const { ends } = readEnds(directory, (line) => assert.fail(`Line ${line} is damaged`));
  return [...ends.values()];
}

/** Returns the ids in the journal. No line may be damaged. */
export function idsIn(directory: string): string[] {
  return endsIn(directory).map(({ id }) => id);
}
