/** Prints a job's output: each stream to its own descriptor, or as JSON. */
import type { JobOutput } from "../proto/teleport/v1/job_worker.ts";
import { outputJson } from "./message_json.ts";
import type { Print } from "./print.ts";

/** Prints one piece of output; of the closing record, only what a reader must know. */
export async function printOutput(print: Print, output: JobOutput): Promise<void> {
  if (print.json) return await print.record(outputJson(output));
  if (output.end === null) {
    return await print.bytes(output.stream === "STREAM_STDERR" ? "stderr" : "stdout", output.data);
  }
  if (output.end.dropped_bytes > 0) {
    await print.note(
      `The output is not whole: its limit was reached and ${output.end.dropped_bytes} bytes were dropped`,
    );
  }
}
