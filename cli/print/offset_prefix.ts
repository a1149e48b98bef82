/** Adds the position of its first byte before each line of output, as grep(1) does with --byte-offset. */
import { joinBytes } from "../../base/join_bytes.ts";
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";

const NEWLINE = 10;

/**
 * Makes a function that adds the position in its stream before each line, such as `1234:`. It takes the chunks of the
 * output in their order.
 */
export function createOffsetPrefix(): (output: JobOutput) => JobOutput {
  const encoder = new TextEncoder();
  /** The streams whose last line has no end yet. */
  const openLines = new Set<string>();
  return (output) => {
    const { data, offset, stream } = output;
    if (data.length === 0) return output;
    const parts: Uint8Array[] = [];
    for (let at = 0; at < data.length;) {
      const newline = data.indexOf(NEWLINE, at);
      const end = newline < 0 ? data.length : newline + 1;
      if (!openLines.has(stream)) parts.push(encoder.encode(`${offset + at}:`));
      parts.push(data.subarray(at, end));
      if (newline < 0) openLines.add(stream);
      else openLines.delete(stream);
      at = end;
    }
    return { ...output, data: joinBytes(parts) };
  };
}
