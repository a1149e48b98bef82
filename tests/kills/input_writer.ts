/** Sends numbered lines to the input of a job, through any number of outages, each line once. */
import type { Sent } from "../../proto/service.ts";
import type { InputRequest } from "../../proto/teleport/v1/job_worker.ts";
import { deadline } from "../support/deadline.ts";
import { hasNoAnswer } from "./no_answer.ts";
import type { Place } from "./place.ts";

/** The length of each line, with its line feed. */
const LINE_BYTES = 9;

/** The lines of one message. */
const LINES = 7;

/** The pause between two messages, in milliseconds. */
const PAUSE_MS = 15;

/** The most bytes that are sent again after an outage. The server must skip them. */
const AGAIN_BYTES = 500;

/** A writer with a name, which continues its own input. */
export class InputWriter {
  readonly #place: Place;
  readonly #id: string;
  readonly #what: string;
  readonly #abandoned = new AbortController();
  readonly #done: Promise<void>;
  #isEnding = false;
  /** The number of lines that were sent at least once. */
  #lines = 0;

  constructor(place: Place, id: string, what: string) {
    this.#place = place;
    this.#id = id;
    this.#what = what;
    this.#done = this.#run();
    this.#done.catch(() => {});
  }

  get lines(): number {
    return this.#lines;
  }

  /** Fails when the server has refused the input. */
  async check(): Promise<void> {
    await Promise.race([this.#done, Promise.resolve()]);
  }

  /** Ends the input, and waits until the server has accepted all of it. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await deadline(this.#done, `the end of the input of ${this.#what}`);
  }

  /** Gives up, because the job is lost. */
  async abandon(): Promise<void> {
    this.#abandoned.abort();
    await this.#done.catch(() => {});
  }

  async #run(): Promise<void> {
    const { signal } = this.#abandoned;
    while (!signal.aborted) {
      try {
        const { input_bytes } = await this.#place.calls.Status({ id: this.#id });
        const offset = Math.max(0, input_bytes - AGAIN_BYTES);
        await this.#place.calls.Input(this.#messages(offset), { signal });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!hasNoAnswer(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  async *#messages(offset: number): AsyncGenerator<Sent<InputRequest>> {
    yield { id: this.#id, writer: "numbers", offset };
    let at = offset;
    do {
      const line = Math.floor(at / LINE_BYTES);
      const text = Array.from({ length: LINES }, (_, index) => `${line + index + 1}`.padStart(8, "0") + "\n").join("");
      const rest = text.slice(at % LINE_BYTES);
      this.#lines = Math.max(this.#lines, line + LINES);
      yield { data: new TextEncoder().encode(rest) };
      at += rest.length;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      // The last line must be complete, also when an earlier call has sent more.
    } while (!this.#isEnding || at < this.#lines * LINE_BYTES);
    yield { end: true };
  }
}
