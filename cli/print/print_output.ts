/** Prints a job's output: each stream to its own descriptor, or as JSON. */
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { outputJson } from "./message_json.ts";
import type { Print } from "./print.ts";

/** Prints a chunk of output. For a gap and for a summary with dropped bytes, it prints a note. */
export async function printOutput(print: Print, output: JobOutput): Promise<void> {
  // Output has no names: that format prints it as it is.
  if (print.isJson && print.format !== "name") return await print.jsonLine(outputJson(output));
  const name = output.stream === "STREAM_STDERR" ? "stderr" : "stdout";
  if (output.dropped_bytes > 0) {
    await print.note(`${output.dropped_bytes} bytes of ${name} are missing here: its output limit dropped them`);
  }
  if (output.end === null) return await print.bytes(name, output.data);
  if (output.end.dropped_bytes > 0) {
    // A client that followed from the start may have received these bytes.
    await print.note(
      `The server's log of this output lacks ${output.end.dropped_bytes} bytes: an output limit or a full disk dropped them`,
    );
  }
}
