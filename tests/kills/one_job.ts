/** One job that counts while servers and job hosts come and go. */
import assert from "node:assert/strict";
import { deadline, eventually } from "../support/deadline.ts";
import { Follower } from "./follower.ts";
import { countOf, LONG_CODE, LONG_SCRIPTS, requestFor, startsOf } from "./jobs.ts";
import type { Place } from "./place.ts";
import { startOf } from "./processes.ts";

/** A job that writes numbered lines until it is stopped. */
export class OneJob {
  readonly #place: Place;
  readonly #start: string | undefined;
  readonly name: string;
  readonly id: string;
  readonly pid: number;
  readonly follower: Follower;

  private constructor(place: Place, name: string, id: string, pid: number) {
    this.#place = place;
    this.name = name;
    this.id = id;
    this.pid = pid;
    this.#start = startOf(pid);
    this.follower = new Follower(place.calls, id, name, true);
  }

  /** Starts a job and waits until it counts. */
  static async start(place: Place, name = "one"): Promise<OneJob> {
    const { id } = await place.calls.Register(requestFor(place, name, LONG_SCRIPTS.slow));
    let pid = 0;
    for await (const status of place.calls.Start({ id })) {
      pid = status.pid;
      if (status.state === "STATE_RUNNING") break;
    }
    await eventually(() => countOf(place, name) > 0, "the job counts");
    return new OneJob(place, name, id, pid);
  }

  /** Checks, without a server, that the job is the same process and counts. */
  async counts(): Promise<void> {
    assert.equal(startOf(this.pid), this.#start, `Process ${this.pid} of the job is gone`);
    assert.deepEqual(startsOf(this.#place, this.name), [this.pid], "its starts");
    const before = countOf(this.#place, this.name);
    await eventually(() => countOf(this.#place, this.name) > before, "the job counts on");
  }

  /** Checks, with a server, that the job runs and nothing is lost. */
  async runs(): Promise<void> {
    await this.counts();
    const { state, pid } = await this.#place.calls.Status({ id: this.id });
    assert.deepEqual([state, pid], ["STATE_RUNNING", this.pid]);
    await this.follower.check();
  }

  /** Stops the job, and checks that all its lines have arrived, each once. */
  async finish(): Promise<void> {
    await this.#place.calls.Stop({ id: this.id });
    const end = await this.follower.ended();
    assert.deepEqual([end.status?.state, end.status?.exit_code], ["STATE_EXITED", LONG_CODE]);
    this.follower.lines?.finish();
    assert.equal(this.follower.lines?.last, countOf(this.#place, this.name));
    await this.gone();
  }

  /** Waits until the process has ended. */
  async gone(): Promise<void> {
    await eventually(() => startOf(this.pid) !== this.#start, "the end of the job's process");
  }

  /**
   * Waits until the job has ended, and checks how.
   *
   * @param wanted its state and its reason
   */
  async ended(...wanted: [state: string, reason: string]): Promise<void> {
    const { status } = await deadline(this.follower.ended(), "the end of the job");
    assert.deepEqual([status?.state, status?.reason], wanted, status?.error ?? "");
    await this.gone();
  }
}
