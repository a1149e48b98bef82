/** The acknowledged facts about short jobs, which must be true after every kill. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import { CallError } from "../../rpc/client/client.ts";
import type { Follower } from "./follower.ts";
import { hex } from "./follower.ts";
import { filesOf, type SHORT_SCRIPTS, startsOf } from "./jobs.ts";
import type { Place } from "./place.ts";

/**
 * The last acknowledged fact about a job. `MAYBE_…`: the call was made and not answered.
 * `REGISTERING`: not even its id is known.
 */
export type Fact =
  | "REGISTERING"
  | "INITIAL"
  | "MAYBE_STARTED"
  | "RUNNING"
  | "MAYBE_STOPPED"
  | "ENDED"
  | "MAYBE_REMOVED"
  | "REMOVED";

/** The states that a job may have, by the last fact. A job whose job host was killed may also be lost. */
const TRUE_STATES: Readonly<Record<Fact, readonly string[]>> = {
  REGISTERING: ["INITIAL"],
  INITIAL: ["INITIAL"],
  MAYBE_STARTED: ["INITIAL", "STARTING", "RUNNING", "EXITED"],
  RUNNING: ["RUNNING", "EXITED"],
  MAYBE_STOPPED: ["RUNNING", "STOPPING", "KILLED", "EXITED"],
  ENDED: ["EXITED", "KILLED", "LOST"],
  MAYBE_REMOVED: ["EXITED", "KILLED", "LOST"],
  REMOVED: [],
};

/** The facts that a lost job may have had. */
const LOSABLE: ReadonlySet<Fact> = new Set<Fact>(["MAYBE_STARTED", "RUNNING", "MAYBE_STOPPED"]);

/** One short job and what is known about it. */
export interface Entry {
  readonly name: string;
  readonly kind: keyof typeof SHORT_SCRIPTS;
  readonly code: number;
  readonly request: Sent<JobRequest>;
  fact: Fact;
  id: string;
  /** The final status, which must not change any more. */
  final?: string;
  /** Reads the output from the start on. */
  follower?: Follower;
}

/** All short jobs that are not yet removed. */
export class Ledger {
  readonly #place: Place;
  readonly #entries = new Set<Entry>();
  /** The number of jobs that were seen to their end. */
  ended = 0;
  /** The number of calls that were repeated because they had no answer. */
  repeated = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  add(entry: Entry): void {
    this.#entries.add(entry);
  }

  /**
   * Checks all facts, repeats the calls that had no answer, brings all jobs to their end, and removes those that had
   * ended before.
   *
   * @param mayBeLost whether a job host was killed
   */
  async check(mayBeLost: boolean): Promise<void> {
    const queue = this.#entries.values();
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (const entry of queue) await this.#checkEntry(entry, mayBeLost);
    }));
  }

  async #checkEntry(entry: Entry, mayBeLost: boolean): Promise<void> {
    const { calls } = this.#place;
    if (entry.fact === "REMOVED") {
      await assert.rejects(
        calls.Status({ id: entry.id }),
        (error) => error instanceof CallError && error.status === "NOT_FOUND",
        `${entry.name} was removed and is there`,
      );
      this.#entries.delete(entry);
      return;
    }
    if (entry.fact === "REGISTERING") await this.#register(entry);
    const status = await calls.Status({ id: entry.id }).catch((error) => {
      if (!(error instanceof CallError) || error.status !== "NOT_FOUND") throw error;
    });
    if (status === undefined) {
      assert.equal(entry.fact, "MAYBE_REMOVED", `${entry.name} (${entry.id}) is not there`);
      entry.fact = "REMOVED";
      return;
    }
    const state = status.state.slice("STATE_".length);
    const isTrue = TRUE_STATES[entry.fact].includes(state) ||
      mayBeLost && state === "LOST" && LOSABLE.has(entry.fact);
    assert.ok(isTrue, `${entry.name} (${entry.id}) was ${entry.fact} and is ${state}: ${status.error}`);
    if (state === "INITIAL") assert.deepEqual(startsOf(this.#place, entry.name), [], `${entry.name} has run`);
    if (entry.fact === "ENDED" || entry.fact === "MAYBE_REMOVED") {
      assert.equal(JSON.stringify(status), entry.final, `${entry.name}: its end has changed`);
      await calls.Remove({ id: entry.id });
      entry.fact = "REMOVED";
      return;
    }
    await this.#finish(entry, status, mayBeLost);
  }

  /** Repeats a Register. It must make one job, whether or not the first one was stored. */
  async #register(entry: Entry): Promise<void> {
    const { calls } = this.#place;
    this.repeated += 1;
    entry.id = (await calls.Register(entry.request)).id;
    const { jobs } = await calls.List({ labels: { name: entry.name } });
    assert.deepEqual(jobs.map(({ id }) => id), [entry.id], `${entry.name}: its jobs`);
    entry.fact = "INITIAL";
  }

  /** Brings a job to its end, and checks the end. */
  async #finish(entry: Entry, status: JobStatus, mayBeLost: boolean): Promise<void> {
    const { calls } = this.#place;
    const { id, kind } = entry;
    let last = status;
    if (entry.fact === "MAYBE_STARTED" || entry.fact === "INITIAL") {
      if (entry.fact === "MAYBE_STARTED") this.repeated += 1;
      for await (last of calls.Start({ id })) if (kind === "sleep" && last.state === "STATE_RUNNING") break;
    }
    if (kind === "sleep") last = await calls.Stop({ id });
    else for await (last of calls.StatusStream({ id }));
    await checkEnd(this.#place, entry, last, mayBeLost);
    entry.final = JSON.stringify(await calls.Status({ id }));
    entry.fact = "ENDED";
    this.ended += 1;
  }
}

/** Checks how a short job has ended: state, exit code, output, and that it was started once. */
export async function checkEnd(place: Place, entry: Entry, status: JobStatus, mayBeLost: boolean): Promise<void> {
  const { name, kind, code, follower } = entry;
  const starts = startsOf(place, name);
  const { state, exit_code, signal, pid } = status;
  const end = await follower?.ended();
  if (mayBeLost && state === "STATE_LOST") {
    assert.ok(starts.length <= 1 && starts.every((started) => started === pid || pid === 0), `${name}: its starts`);
    return;
  }
  // The stop of all jobs may come before the first command of a job that has just started.
  if (status.reason === "REASON_SHUTDOWN") {
    assert.ok(starts.length <= 1 && starts.every((started) => started === pid), `${name}: its starts`);
    return;
  }
  // A job that is stopped at once may not have come to its first command.
  assert.deepEqual(starts, kind === "sleep" && starts.length === 0 ? [] : [pid], `${name}: its starts`);
  const found = [state, exit_code, signal];
  if (kind === "sleep") assert.deepEqual(found, ["STATE_KILLED", undefined, "SIGTERM"], `${name}: its end`);
  else assert.deepEqual(found, ["STATE_EXITED", code, ""], `${name}: its end`);
  if (kind === "fast") {
    const digest = (await Deno.readTextFile(`${filesOf(place, name)}.digest`)).split(" ")[0];
    if (end !== undefined) assert.equal(hex(end.stdout_sha256), digest, `${name}: the digest of the job`);
    return;
  }
  let text = "";
  for await (const { data } of place.calls.GetOutput({ id: entry.id, follow: false })) {
    text += new TextDecoder().decode(data);
  }
  if (!(kind === "sleep" && text === "")) assert.equal(text, "out\n", `${name}: its output`);
}
