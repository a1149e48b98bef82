/** Adds the time before each line of output, without decoding its bytes. */
import type { JobOutput, Timestamp } from "../../proto/teleport/v1/job_worker.ts";
import { joinBytes } from "../../base/join_bytes.ts";

const NEWLINE = 10;

/** Formats RFC 3339 with milliseconds. It always has three digits, so that lines are aligned. */
function timestampText({ seconds, nanos }: Timestamp): string {
  return `${new Date(seconds * 1_000 + Math.floor(nanos / 1_000_000)).toISOString()} `;
}

/**
 * Makes a function that adds the time of its first byte before each line. It takes the chunks of the output in their order.
 * Each stream has lines of its own.
 *
 * @param options.oneScreen true when both streams go to one terminal. A line that the other stream interrupts then ends
 * there and continues on a new line
 */
export function createTimestampPrefix({ oneScreen = false } = {}): (output: JobOutput) => JobOutput {
  const encoder = new TextEncoder();
  /** The streams whose last line has no end yet. */
  const openLines = new Set<string>();
  return (output) => {
    if (output.data.length === 0 || output.time === null) return output;
    const timestamp = encoder.encode(timestampText(output.time));
    const parts: Uint8Array[] = [];
    if (oneScreen && [...openLines].some((stream) => stream !== output.stream)) {
      parts.push(Uint8Array.of(NEWLINE));
      openLines.clear();
    }
    for (let at = 0; at < output.data.length;) {
      const newline = output.data.indexOf(NEWLINE, at);
      const end = newline < 0 ? output.data.length : newline + 1;
      if (!openLines.has(output.stream)) parts.push(timestamp);
      parts.push(output.data.subarray(at, end));
      if (newline < 0) openLines.add(output.stream);
      else openLines.delete(output.stream);
      at = end;
    }
    return { ...output, data: joinBytes(parts) };
  };
}
