/**
 * Lets any number watch many jobs: first each as it is, then every change. A watcher is a place in the recorded changes
 * and a wait for the next; what it has not read yet stays on record, so a slow one costs nothing and misses nothing.
 */
import { InvalidArgumentError } from "../errors.ts";
import { loopTurn } from "../loop_turns.ts";
import { checkFilter, type JobFilter, lineOf, matches, matchesState } from "../job/filter.ts";
import { type JobStatus, jobStatus, NO_OUTPUT } from "../job/spec.ts";
import type { Reason, State } from "../process/state.ts";
import type { Store } from "../store/store.ts";
import type { Moment } from "../store/list_query.ts";
import type { StoredChange, StoredJob } from "../store/rows.ts";
import type { LiveJobs } from "./live_jobs.ts";
import type { PageTokenCodec } from "./page_token.ts";
import { Waiters } from "../waiters.ts";
import { defined } from "../../base/defined.ts";

/** Jobs read from the store at a time. */
const SNAPSHOT_PAGE = 100;

/**
 * What is told of many jobs. The token of each continues right behind it.
 *
 * - `known`: a job as it was when the watch began
 * - `current`: all jobs of then were told; what follows are changes
 * - `changed`: a job was registered, or its state changed; also the change by which it left the states asked for
 * - `removed`: a job was forgotten; of its status, command and arguments are gone
 */
export type JobEvent =
  | { readonly type: "known"; readonly status: JobStatus; readonly token: string }
  | { readonly type: "current"; readonly token: string }
  | {
    readonly type: "changed";
    readonly status: JobStatus;
    readonly at: Date;
    readonly reason?: Reason;
    /** The user who asked. */
    readonly by?: string;
    readonly token: string;
  }
  | { readonly type: "removed"; readonly status: JobStatus; readonly at: Date; readonly token: string };

/** Where a watch stands: in its snapshot, behind a job; or behind a change. */
type Position = { readonly asOf: Moment; readonly after: number } | { readonly seq: number };

/** A change as it is told to all who want it. */
interface ToldChange {
  readonly seq: number;
  readonly event: JobEvent & { readonly status: JobStatus };
  readonly line: string;
  readonly was: State | undefined;
}

/** The changes of all jobs. */
export class JobEvents {
  readonly #store: Store;
  readonly #jobs: LiveJobs;
  readonly #sealer: PageTokenCodec;
  readonly #waiters = new Waiters();
  /** How many wait for a job by its id: it must not go before they were told of its end. */
  readonly #awaited = new Map<string, number>();
  /** What was read last. Most watchers are at the same place, and share it. */
  #block:
    | {
      readonly after: number;
      readonly changes: readonly ToldChange[];
      readonly weak: WeakRef<readonly ToldChange[]>;
    }
    | undefined;
  #ended: Error | undefined;

  constructor(store: Store, jobs: LiveJobs, sealer: PageTokenCodec) {
    this.#store = store;
    this.#jobs = jobs;
    this.#sealer = sealer;
  }

  /** Something was written: those who wait look again. */
  wake(): void {
    this.#waiters.wakeAll();
  }

  /** Nothing more will be written: watchers end with this error when they have read what is there. */
  end(error: Error): void {
    this.#ended ??= error;
    this.wake();
  }

  /** Whether somebody watches this job by its id. */
  isAwaited(id: string): boolean {
    return this.#awaited.has(id);
  }

  /** @throws {InvalidArgumentError} when the filter cannot be, or the token is none that was given out */
  async *read(filter: JobFilter, token: string | undefined, signal: AbortSignal): AsyncGenerator<JobEvent, void, void> {
    checkFilter(filter);
    let position = token === undefined ? this.#beginning() : this.#open(token);
    for (const id of filter.ids ?? []) this.#awaited.set(id, (this.#awaited.get(id) ?? 0) + 1);
    try {
      while (true) {
        signal.throwIfAborted();
        if ("asOf" in position) {
          const { asOf } = position;
          const { keys, more } = this.#keysBehind(filter, position);
          for (const key of keys) {
            await loopTurn();
            signal.throwIfAborted();
            // One at a time: a watcher that reads nothing holds one job, not a page of them.
            const event = this.#known(key, asOf);
            if (event !== undefined) yield event;
            signal.throwIfAborted();
          }
          position = more ?? { seq: asOf.seq };
          if (more === undefined) yield { type: "current", token: this.#seal(position) };
        } else if (position.seq < this.#store.forgottenChange) position = this.#beginning();
        else {
          const { count, block } = this.#changesAfter(position.seq);
          if (count === 0) await this.#grown(signal);
          for (let index = 0; index < count; index++) {
            const change = block.deref()?.[index];
            if (change === undefined) break; // Collected while the watcher was slow: read again from here.
            position = { seq: change.seq };
            if (!isMeant(filter, change)) continue;
            yield change.event;
            signal.throwIfAborted();
          }
        }
      }
    } finally {
      for (const id of filter.ids ?? []) {
        const left = (this.#awaited.get(id) ?? 1) - 1;
        if (left === 0) this.#awaited.delete(id);
        else this.#awaited.set(id, left);
      }
    }
  }

  #beginning(): Position {
    return { asOf: this.#store.now, after: 0 };
  }

  /** Jobs that were there when the watch began, oldest first; `more`: where to go on. */
  #keysBehind(filter: JobFilter, { asOf, after }: { readonly asOf: Moment; readonly after: number }) {
    const place = { asOf, after: { at: 0, key: after } };
    const { keys, more } = this.#store.selectKeys(
      { ...filter, orderBy: "registeredAt", descending: false, ...place },
      SNAPSHOT_PAGE,
    );
    return { keys, more: more ? { asOf, after: keys.at(-1) ?? after } : undefined };
  }

  /** A job as it was when the watch began; undefined where it was removed since, or not there then. */
  #known(key: number, asOf: Moment): JobEvent | undefined {
    const job = this.#store.getByKey(key);
    if (job === undefined) return undefined;
    const process = job.seq <= asOf.seq ? job.status : this.#store.statusAt(job, asOf.seq);
    if (process === undefined) return undefined;
    return {
      type: "known",
      status: this.#statusOf({ ...job, status: process }),
      token: this.#seal({ asOf, after: key }),
    };
  }

  /** Changes behind one. Held weakly, so that many slow watchers at different places do not hold a block each. */
  #changesAfter(seq: number): { readonly count: number; readonly block: WeakRef<readonly ToldChange[]> } {
    if (this.#block?.after !== seq) {
      const changes = this.#store.changesAfter(seq).map((change) => this.#toldChange(change));
      const block = { after: seq, changes, weak: new WeakRef(changes) };
      if (changes.length === 0) return { count: 0, block: block.weak };
      this.#block = block;
    }
    return { count: this.#block.changes.length, block: this.#block.weak };
  }

  #toldChange(change: StoredChange): ToldChange {
    const { seq, at, was } = change;
    const token = this.#seal({ seq });
    if ("removed" in change) {
      const { status: process, line, id, owner, labels, registeredAt } = change.removed;
      const spec = { id, labels, registeredAt, command: "", args: [], ...defined({ owner }) };
      const status = jobStatus(spec, process, NO_OUTPUT);
      return { seq, was, line, event: { type: "removed", status, at, token } };
    }
    const status = this.#statusOf(change.job);
    return { seq, was, line: lineOf(status), event: { type: "changed", status, at, ...change.cause, token } };
  }

  /** As of then, but for the counts of output, which are as of now. */
  #statusOf({ spec, status, output }: StoredJob): JobStatus {
    return jobStatus(spec, status, this.#jobs.get(spec.id)?.output ?? output?.totals ?? NO_OUTPUT);
  }

  async #grown(signal: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    await this.#waiters.wait(signal);
  }

  #seal(position: Position): string {
    const numbers = "seq" in position ? [position.seq] : [position.asOf.seq, position.asOf.key, position.after];
    return this.#sealer.seal(numbers, PURPOSE);
  }

  #open(token: string): Position {
    const [seq, key, after] = this.#sealer.open(token, PURPOSE) ?? [];
    if (seq === undefined) {
      throw new InvalidArgumentError(
        `Invalid token ${JSON.stringify(token.slice(0, 100))}: give the one that came with an event, or none`,
      );
    }
    return key === undefined || after === undefined ? { seq } : { asOf: { seq, key }, after };
  }
}

const PURPOSE = "events";

function isMeant(filter: JobFilter, { event: { status }, line, was }: ToldChange): boolean {
  if (!matchesState(filter, status.state) && (was === undefined || !matchesState(filter, was))) return false;
  return matches(filter, { ...status, line });
}
