/** Follows the output of a job with the typed client, through any number of outages, and checks every byte. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { OutputEnd } from "../../proto/teleport/v1/job_worker.ts";
import { deadline } from "../support/deadline.ts";
import { LineCheck } from "./lines.ts";
import { hasNoAnswer } from "./no_answer.ts";

/** The pause before a new call after a lost one, in milliseconds. */
const RETRY_MS = 200;

type Calls = Pick<JobWorkerClient, "GetOutput">;

/** The output of one of the two streams so far. */
class StreamCheck {
  readonly hash = createHash("sha256");
  /** The offset of the next byte. */
  offset = 0;
  hasGap = false;
}

/** A reader of one job, from the first byte on. */
export class Follower {
  readonly lines: LineCheck | undefined;
  readonly #calls: Calls;
  readonly #id: string;
  readonly #what: string;
  readonly #streams = {
    STREAM_STDOUT: new StreamCheck(),
    STREAM_STDERR: new StreamCheck(),
    STREAM_UNSPECIFIED: undefined,
  };
  readonly #done: Promise<OutputEnd>;
  readonly #abandoned = new AbortController();
  /** The number of calls that were lost. */
  outages = 0;

  /** @param hasLines whether stdout consists of numbered lines */
  constructor(calls: Calls, id: string, what: string, hasLines: boolean) {
    this.#calls = calls;
    this.#id = id;
    this.#what = what;
    this.lines = hasLines ? new LineCheck(what) : undefined;
    this.#done = this.#follow();
    // The error is reported by ended(), which is called later.
    this.#done.catch(() => {});
  }

  /** Fails when the reader has found a fault. */
  async check(): Promise<void> {
    await Promise.race([this.#done, Promise.resolve()]);
  }

  /** Waits for the end of the output, and checks the totals and the digests of the server against what was read. */
  async ended(): Promise<OutputEnd> {
    const end = await deadline(this.#done, () => `the end of the output of ${this.#what} (${this.#id})`);
    const { STREAM_STDOUT: out, STREAM_STDERR: err } = this.#streams;
    assert.equal(out.offset, end.stdout_bytes, `${this.#what}: bytes of stdout`);
    assert.equal(err.offset, end.stderr_bytes, `${this.#what}: bytes of stderr`);
    for (const [stream, digest] of [[out, end.stdout_sha256], [err, end.stderr_sha256]] as const) {
      // The end of a lost job is unknown, and so may be its digests.
      if (stream.hasGap || (digest.length === 0 && end.status?.state === "STATE_LOST")) continue;
      assert.equal(stream.hash.digest("hex"), hex(digest), `${this.#what}: a digest`);
    }
    return end;
  }

  /** Stops reading before the end. */
  async abandon(): Promise<void> {
    this.#abandoned.abort();
    await this.#done.catch(() => {});
  }

  async #follow(): Promise<OutputEnd> {
    const { signal } = this.#abandoned;
    let cursor = "";
    const decoder = new TextDecoder();
    for (;;) {
      try {
        for await (const message of this.#calls.GetOutput({ id: this.#id, cursor }, { signal })) {
          if (message.end !== null) return message.end;
          const stream = this.#streams[message.stream];
          assert.ok(stream !== undefined, `${this.#what}: a message without a stream`);
          const { data, offset, dropped_bytes } = message;
          if (dropped_bytes > 0) {
            // After an outage a gap is reported again, from the end of the last chunk, and may be longer.
            assert.ok(
              offset - dropped_bytes <= stream.offset,
              `${this.#what}: a gap from ${offset - dropped_bytes} on`,
            );
            if (offset <= stream.offset) continue;
            stream.hasGap = true;
            stream.offset = offset;
            this.lines?.dropped();
            continue;
          }
          assert.equal(offset, stream.offset, `${this.#what}: the offset of a chunk of ${message.stream}`);
          stream.offset += data.length;
          stream.hash.update(data);
          if (message.stream === "STREAM_STDOUT") this.lines?.receive(decoder.decode(data, { stream: true }));
          cursor = message.cursor;
        }
        throw new Error(`${this.#what}: the output ended without its end`);
      } catch (error) {
        if (signal.aborted || !hasNoAnswer(error)) throw error;
        this.outages += 1;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

/** Gives bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return new Uint8Array(bytes).toHex();
}
