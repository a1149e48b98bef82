/** Checks what arrives of a search in a job's output. Its lines are a selection, so their totals cannot be compared. */
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { type OutputCheck, OutputMismatchError } from "./output_check.ts";

/** The check of one search, through all its calls. */
export class SearchCheck implements Pick<OutputCheck, "receive" | "verify"> {
  readonly #ends: Record<string, number> = {};

  /**
   * Records a part.
   *
   * @returns the part that did not arrive before; undefined when there is none. After an outage a line may come again
   * @throws {OutputMismatchError} when it has no stream
   */
  receive(message: JobOutput): JobOutput | undefined {
    const { stream, offset, data } = message;
    if (stream === "STREAM_UNSPECIFIED") {
      throw new OutputMismatchError("The server sent output without a stream: use a client of the server's version");
    }
    const skip = Math.max(0, (this.#ends[stream] ?? 0) - offset);
    if (skip > 0 && skip >= data.length) return undefined;
    this.#ends[stream] = offset + data.length;
    return skip === 0 ? message : { ...message, offset: offset + skip, data: data.subarray(skip) };
  }

  verify(): void {}
}
