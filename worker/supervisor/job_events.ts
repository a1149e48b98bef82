/**
 * Lets any number of watchers follow many jobs: first each job as it is, then every change. A watcher is a position in the
 * stored changes and a wait for the next one. Changes stay in the store, so a slow watcher costs nothing and misses none.
 */
import { quote } from "../../base/quote.ts";
import { InvalidArgumentError } from "../errors.ts";
import { loopTurn } from "../loop_turns.ts";
import type { AnyJob } from "../job/any_job.ts";
import { checkFilter, type JobFilter, lineOf, matches, matchesState } from "../job/filter.ts";
import { type JobStatus, jobStatus, NO_OUTPUT } from "../job/spec.ts";
import type { Reason, State } from "../process/state.ts";
import type { Store } from "../store/store.ts";
import type { Moment } from "../store/list_query.ts";
import { endedPlacement, type StoredChange, type StoredJob } from "../store/rows.ts";
import type { LiveJobs } from "./live_jobs.ts";
import type { PageTokenCodec } from "./page_token.ts";
import { Waiters } from "../waiters.ts";
import { defined } from "../../base/defined.ts";

/** The jobs of a snapshot that are read from the store at a time. */
const SNAPSHOT_PAGE = 100;

/**
 * An event of a watch of many jobs. Its token resumes the watch right after the event.
 *
 * - `known`: a job as it was when the watch started
 * - `current`: all jobs of that moment were sent; changes follow
 * - `changed`: a job was registered, or its state changed; also the change by which it left the selected states
 * - `removed`: a job was removed; its status has no command and no arguments
 */
export type JobEvent =
  | { readonly type: "known"; readonly status: JobStatus; readonly token: string }
  | { readonly type: "current"; readonly token: string }
  | {
    readonly type: "changed";
    readonly status: JobStatus;
    readonly at: Date;
    readonly reason?: Reason;
    /** The user who requested the change. */
    readonly by?: string;
    readonly token: string;
  }
  | { readonly type: "removed"; readonly status: JobStatus; readonly at: Date; readonly token: string };

/** The position of a watch: in its snapshot, after a job; or after a change. */
type Position = { readonly asOf: Moment; readonly after: number } | { readonly seq: number };

/** A change as an event, and the facts that filters need. */
interface ChangeEvent {
  readonly seq: number;
  readonly event: JobEvent & { readonly status: JobStatus };
  readonly line: string;
  readonly was: State | undefined;
}

/** The changes of all jobs, for watchers. */
export class JobEvents {
  readonly #store: Store;
  readonly #liveJobs: LiveJobs;
  readonly #tokens: PageTokenCodec;
  readonly #waiters = new Waiters();
  readonly #hasOutage: () => boolean;
  #readers = 0;
  /** How many watchers gave the id of a job. Retention keeps the job, so that they get the event of its end. */
  readonly #watchersOf = new Map<string, number>();
  /** The block of changes that was read last. Most watchers are at the same position and share it. */
  #block:
    | {
      readonly after: number;
      readonly changes: readonly ChangeEvent[];
      readonly weak: WeakRef<readonly ChangeEvent[]>;
    }
    | undefined;
  #ended: Error | undefined;

  /** @param hasOutage returns true while a job host does not answer */
  constructor(store: Store, liveJobs: LiveJobs, tokens: PageTokenCodec, hasOutage: () => boolean) {
    this.#hasOutage = hasOutage;
    this.#store = store;
    this.#liveJobs = liveJobs;
    this.#tokens = tokens;
  }

  /** The number of iterations that read the changes now. */
  get readers(): number {
    return this.#readers;
  }

  /** Wakes the watchers after a change was stored, or when a job host does not answer. */
  wake(): void {
    this.#waiters.wakeAll();
  }

  /** Ends all watches with this error after the last stored change. */
  end(error: Error): void {
    this.#ended ??= error;
    this.wake();
  }

  /** Returns whether a watcher gave the id of this job. */
  isWatched(id: string): boolean {
    return this.#watchersOf.has(id);
  }

  /**
   * @throws {InvalidArgumentError} when the filter or the token is invalid
   * @throws {HostUnavailableError} while the job host of a selected job does not answer, after the last stored change
   */
  async *read(filter: JobFilter, token: string | undefined, signal: AbortSignal): AsyncGenerator<JobEvent, void, void> {
    checkFilter(filter);
    let position = token === undefined ? this.#snapshotStart() : this.#open(token);
    for (const id of filter.ids ?? []) this.#watchersOf.set(id, (this.#watchersOf.get(id) ?? 0) + 1);
    this.#readers += 1;
    try {
      while (true) {
        signal.throwIfAborted();
        if ("asOf" in position) {
          const { asOf } = position;
          const { keys, more } = this.#snapshotKeys(filter, position);
          for (const key of keys) {
            await loopTurn();
            signal.throwIfAborted();
            // Reads one job at a time, so a watcher that is not read holds one job and not a page of jobs.
            const event = this.#snapshotEvent(key, asOf);
            if (event !== undefined) yield event;
            signal.throwIfAborted();
          }
          position = more ?? { seq: asOf.seq };
          if (more === undefined) yield { type: "current", token: this.#seal(position) };
        } else if (position.seq < this.#store.history.lastMissing) position = this.#snapshotStart();
        else {
          const { count, block } = this.#changesAfter(position.seq);
          if (count === 0) await this.#waitForChange(filter, signal);
          for (let index = 0; index < count; index++) {
            const change = block.deref()?.[index];
            if (change === undefined) break; // Collected while the watcher was slow. The loop reads it again.
            position = { seq: change.seq };
            if (!isSelected(filter, change)) continue;
            yield change.event;
            signal.throwIfAborted();
          }
        }
      }
    } finally {
      this.#readers -= 1;
      for (const id of filter.ids ?? []) {
        const left = (this.#watchersOf.get(id) ?? 1) - 1;
        if (left === 0) this.#watchersOf.delete(id);
        else this.#watchersOf.set(id, left);
      }
    }
  }

  #snapshotStart(): Position {
    return { asOf: this.#store.history.now, after: 0 };
  }

  /** Returns keys of jobs in the snapshot, oldest first, and the next position in it; absent at its end. */
  #snapshotKeys(filter: JobFilter, { asOf, after }: { readonly asOf: Moment; readonly after: number }) {
    const { keys, more } = this.#store.selection.selectKeys(
      { ...filter, orderBy: "registeredAt", descending: false, asOf, after: { at: 0, key: after } },
      SNAPSHOT_PAGE,
    );
    return { keys, more: more ? { asOf, after: keys.at(-1) ?? after } : undefined };
  }

  /** Returns a job as it was at the moment of the snapshot; undefined when it did not exist then, or was removed. */
  #snapshotEvent(key: number, asOf: Moment): JobEvent | undefined {
    const job = this.#store.getByKey(key);
    if (job === undefined) return undefined;
    const process = job.seq <= asOf.seq ? job.status : this.#store.history.statusAt(job, asOf.seq);
    if (process === undefined) return undefined;
    return {
      type: "known",
      status: this.#statusOf({ ...job, status: process }),
      token: this.#seal({ asOf, after: key }),
    };
  }

  /** Returns changes after the given one. The reference is weak: slow watchers at many positions hold no blocks. */
  #changesAfter(seq: number): { readonly count: number; readonly block: WeakRef<readonly ChangeEvent[]> } {
    if (this.#block?.after !== seq) {
      const changes = this.#store.history.after(seq).map((change) => this.#changeEvent(change));
      const block = { after: seq, changes, weak: new WeakRef(changes) };
      if (changes.length === 0) return { count: 0, block: block.weak };
      this.#block = block;
    }
    return { count: this.#block.changes.length, block: this.#block.weak };
  }

  #changeEvent(change: StoredChange): ChangeEvent {
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

  /** Returns the status at the time of the change, but with the totals of the output now. */
  #statusOf(job: StoredJob): JobStatus {
    const { spec, status, output } = job;
    const live = this.#liveJobs.get(spec.id);
    const written = live?.output ?? output?.totals ?? NO_OUTPUT;
    return jobStatus(spec, status, written, live?.placement ?? endedPlacement(job));
  }

  async #waitForChange(filter: JobFilter, signal: AbortSignal): Promise<void> {
    const error = this.#ended ?? this.#outageOf(filter);
    if (error !== undefined) throw error;
    await this.#waiters.wait(signal);
  }

  #outageOf(filter: JobFilter): Error | undefined {
    if (!this.#hasOutage()) return undefined;
    const { ids = [] } = filter;
    const jobs = ids.length > 0 ? ids.flatMap((id) => this.#liveJobs.get(id) ?? []) : this.#liveJobs.pinned();
    const isSelected = ({ spec, status }: AnyJob) =>
      matchesState(filter, status.state) && matches(filter, { ...status, line: lineOf(spec) });
    return jobs.find((job) => job.outage !== undefined && isSelected(job))?.outage;
  }

  #seal(position: Position): string {
    const numbers = "seq" in position ? [position.seq] : [position.asOf.seq, position.asOf.key, position.after];
    return this.#tokens.seal(numbers, PURPOSE);
  }

  #open(token: string): Position {
    const [seq, key, after] = this.#tokens.open(token, PURPOSE) ?? [];
    if (seq === undefined) {
      throw new InvalidArgumentError(
        `Invalid token ${quote(token)}: give the token of an event, or none`,
      );
    }
    return key === undefined || after === undefined ? { seq } : { asOf: { seq, key }, after };
  }
}

/** The purpose of the tokens of events. Tokens of older servers have it too. */
const PURPOSE = "events";

function isSelected(filter: JobFilter, { event: { status }, line, was }: ChangeEvent): boolean {
  if (!matchesState(filter, status.state) && (was === undefined || !matchesState(filter, was))) return false;
  return matches(filter, { ...status, line });
}
