/** Prints a job's output: each stream to its own descriptor, or as JSON. */
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { outputJson } from "./message_json.ts";
import type { Print } from "./print.ts";

/** Prints one piece of output; of a gap and of the closing record, only what a reader must know. */
export async function printOutput(print: Print, output: JobOutput): Promise<void> {
  if (print.json) return await print.record(outputJson(output));
  const name = output.stream === "STREAM_STDERR" ? "stderr" : "stdout";
  if (output.dropped_bytes > 0) {
    await print.note(`${output.dropped_bytes} bytes of ${name} are missing here: its output limit dropped them`);
  }
  if (output.end === null) return await print.bytes(name, output.data);
  if (output.end.dropped_bytes > 0) {
    // A reader who followed from the start may have them all the same.
    await print.note(
      `The server's record of this output lacks ${output.end.dropped_bytes} bytes, which a limit or a full disk dropped`,
    );
  }
}
