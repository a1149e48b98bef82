/** The load of one round: clients that register, start, stop and remove short jobs until the server is killed. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Random } from "../support/random.ts";
import { Follower } from "./follower.ts";
import { requestFor, SHORT_SCRIPTS } from "./jobs.ts";
import { checkEnd, type Entry, type Ledger } from "./ledger.ts";
import { hasNoAnswer } from "./no_answer.ts";
import type { Place } from "./place.ts";

/** The bytes of a job that writes at full speed. */
const FAST_BYTES = 3_000_000;

/** The ways in which a client uses one job. The kill comes anywhere in them. */
const ACTIONS = ["run", "stop", "remove", "register", "fast", "many"] as const;

/** The jobs that are started at the same moment. */
const MANY = 6;

/** The clients of one round. */
export class Load {
  readonly #place: Place;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #clients: readonly Promise<void>[];
  #isOver = false;
  #count = 0;

  /** @param prefix the beginning of the names of all jobs */
  constructor(place: Place, ledger: Ledger, random: Random, prefix: string, clients: number) {
    this.#place = place;
    this.#ledger = ledger;
    this.#random = random;
    this.#clients = Array.from({ length: clients }, (_, index) => this.#client(`${prefix}-${index}`));
    // The error is reported by ended(), which is called later.
    for (const client of this.#clients) client.catch(() => {});
  }

  /** Waits until all clients have had a call without an answer, or have ended their job. */
  async ended(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async #client(prefix: string): Promise<void> {
    try {
      while (!this.#isOver) await this.#act(this.#random.pick(ACTIONS), `${prefix}-${this.#count++}`);
    } catch (error) {
      this.#isOver = true;
      // Any other answer is wrong: the requests are valid.
      if (!hasNoAnswer(error)) throw error;
    }
  }

  async #act(action: typeof ACTIONS[number], name: string): Promise<void> {
    switch (action) {
      case "run":
        return await this.#end(await this.#register(name, "echo"));
      case "stop": {
        const entry = await this.#register(name, "sleep");
        await this.#start(entry, "STATE_RUNNING");
        entry.fact = "MAYBE_STOPPED";
        return await this.#ended(entry, await this.#place.calls.Stop({ id: entry.id }));
      }
      case "remove": {
        const entry = await this.#register(name, "echo");
        await this.#end(entry);
        entry.fact = "MAYBE_REMOVED";
        await this.#place.calls.Remove({ id: entry.id });
        entry.fact = "REMOVED";
        return;
      }
      case "register":
        return void await this.#register(name, "echo");
      case "fast": {
        const entry = await this.#register(name, "fast", [`${FAST_BYTES}`]);
        entry.follower = new Follower(this.#place.calls, entry.id, name, false);
        return await this.#end(entry);
      }
      case "many": {
        const jobs = Array.from({ length: MANY }, (_, index) => this.#register(`${name}-${index}`, "echo"));
        const results = await Promise.allSettled(jobs.map(async (entry) => await this.#end(await entry)));
        for (const result of results) if (result.status === "rejected") throw result.reason;
      }
    }
  }

  async #register(name: string, kind: Entry["kind"], args: readonly string[] = []): Promise<Entry> {
    const code = 1 + this.#random.below(100);
    const request = requestFor(this.#place, name, SHORT_SCRIPTS[kind], [`${code}`, ...args]);
    const entry: Entry = { name, kind, code, request, fact: "REGISTERING", id: "" };
    this.#ledger.add(entry);
    entry.id = (await this.#place.calls.Register(request)).id;
    entry.fact = "INITIAL";
    return entry;
  }

  /** Starts a job and follows it to a state or to its end. */
  async #start(entry: Entry, until?: JobStatus["state"]): Promise<JobStatus> {
    entry.fact = "MAYBE_STARTED";
    let last: JobStatus | undefined;
    for await (last of this.#place.calls.Start({ id: entry.id })) {
      if (last.state === "STATE_RUNNING") entry.fact = "RUNNING";
      if (last.state === until) break;
    }
    assert.ok(last !== undefined, `${entry.name}: Start gave no status`);
    return last;
  }

  async #end(entry: Entry): Promise<void> {
    await this.#ended(entry, await this.#start(entry));
  }

  async #ended(entry: Entry, status: JobStatus): Promise<void> {
    // After the kill of a job host, jobs are lost, and the round checks them.
    if (status.state === "STATE_LOST") return;
    entry.final = JSON.stringify(await this.#place.calls.Status({ id: entry.id }));
    entry.fact = "ENDED";
    await checkEnd(this.#place, entry, status, false);
    this.#ledger.ended += 1;
  }
}
