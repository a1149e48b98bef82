/** Puts the time before each line of output, without decoding a byte of it. */
import type { JobOutput, Timestamp } from "../../proto/teleport/v1/job_worker.ts";

const NEWLINE = 10;

/** RFC 3339 with milliseconds, always all three digits: lines must stand in one column. */
function stampText({ seconds, nanos }: Timestamp): string {
  return `${new Date(seconds * 1_000 + Math.floor(nanos / 1_000_000)).toISOString()} `;
}

/**
 * Makes the function that puts the time of its first byte before each line of the pieces it is given, one behind the
 * other; each stream has lines of its own.
 *
 * @param options.oneScreen whether both streams go to one terminal: a line that the other stream interrupts then ends there
 * and continues in a line of its own
 */
export function createTimestampPrefix({ oneScreen = false } = {}): (output: JobOutput) => JobOutput {
  const encoder = new TextEncoder();
  const isWithinLine = new Set<string>();
  return (output) => {
    if (output.data.length === 0 || output.time === null) return output;
    const stamp = encoder.encode(stampText(output.time));
    const parts: Uint8Array[] = [];
    if (oneScreen && [...isWithinLine].some((stream) => stream !== output.stream)) {
      parts.push(Uint8Array.of(NEWLINE));
      isWithinLine.clear();
    }
    for (let at = 0; at < output.data.length;) {
      const newline = output.data.indexOf(NEWLINE, at);
      const end = newline < 0 ? output.data.length : newline + 1;
      if (!isWithinLine.has(output.stream)) parts.push(stamp);
      parts.push(output.data.subarray(at, end));
      if (newline < 0) isWithinLine.add(output.stream);
      else isWithinLine.delete(output.stream);
      at = end;
    }
    const data = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      data.set(part, at);
      at += part.length;
    }
    return { ...output, data };
  };
}
