/**
 * What outlives the server: every job with its status and the totals of its output, and every change in order, in an
 * SQLite database. It knows rows and no rules; the order in which they are written is the job's and the supervisor's
 * business.
 *
 * Every write is on its way to the disk when the call returns (WAL, synchronous=NORMAL): a crash of this process loses
 * none of them, a power failure may lose the last ones but never leaves half of one. Source: sqlite.org/wal.html
 */
import type { DatabaseSync } from "node:sqlite";
import { RecordDamagedError } from "../storage_errors.ts";
import { lineOf } from "../job/filter.ts";
import type { JobSpec } from "../job/spec.ts";
import { loopTurn } from "../loop_turns.ts";
import { isFinalState, type ProcessStatus, type Reason, type State } from "../process/state.ts";
import { type DatabaseOptions, openDatabase, unread, unusable, unwritten } from "./database.ts";
import { decodeStatus, encodeOutput, encodeProcess, encodeStatus, encodeTombstone } from "./json.ts";
import { readChange, readJob, type Row } from "./decode_row.ts";
import type {
  EndedJob,
  StatusDetails,
  StoredChange,
  StoredJob,
  StoredOutput,
  StoredRequest,
  Tombstone,
} from "./rows.ts";
import { type JobQuery, keysQuery, type Moment } from "./list_query.ts";
import { SQL } from "./sql.ts";

/** So many forgotten jobs are remembered, for those who watch many; who is further behind begins anew. */
const MAX_TOMBSTONES = 1_000;

/** Read before the event loop may turn: a few milliseconds. */
const STEP_JOBS = 100;
const STEP_CHARS = 100_000;

/** Jobs that a query means. */
export interface SelectedJobs {
  readonly jobs: StoredJob[];
  /** There are others behind these. */
  readonly more: boolean;
}

/** What is read at a time has at most so many characters of specs and statuses, which may be a megabyte each. */
const MAX_BLOCK_CHARS = 1_000_000;

const MAX_CHANGES = 256;

/** A label that so many jobs have is no rare one; more need not be counted. */
const MANY = 2_000;

const NO_JOBS: Readonly<Record<State, number>> = {
  INITIAL: 0,
  STARTING: 0,
  RUNNING: 0,
  STOPPING: 0,
  EXITED: 0,
  KILLED: 0,
  FAILED: 0,
  LOST: 0,
};

type Statement = ReturnType<DatabaseSync["prepare"]>;

/** The time is noted with a write when the last note is this old: no write costs a page more than others. */
const NOTE_MS = 10_000;

/** What a store is opened with. */
export interface StoreOptions extends DatabaseOptions {
  /** Called after each write with its duration in milliseconds. */
  readonly onWrite?: (durationMs: number) => void;
  /** Whether the clock may be what the next process compares with; asked at a write. Absent: it may not. */
  readonly isClockBelieved?: () => boolean;
}

/** The jobs of one data directory. One process at a time has it. */
export class Store implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<keyof typeof SQL, Statement>>;
  /** Random, and never shown: what is sealed with it can be opened by the next process too. */
  readonly secret: Uint8Array;
  readonly #options: StoreOptions;
  readonly #states: Record<State, number>;
  readonly #bytesAtOpen: number;
  /** When the time was last noted, on the clock that nobody sets. */
  #notedAtMs = -Infinity;

  /**
   * @param path of the database; made where it is not there, with its directory. `:memory:`: kept nowhere
   * @throws {DirectoryInUseError} when another process has it
   * @throws {StoreUnusableError} when it is damaged, of a later version, or cannot be written
   */
  constructor(path: string, options: StoreOptions = {}) {
    this.#options = options;
    this.#database = openDatabase(path, options);
    try {
      this.#statements = Object.fromEntries(
        Object.entries(SQL).map(([name, sql]) => [name, this.#database.prepare(sql)]),
      ) as Record<keyof typeof SQL, Statement>;
      this.secret = (this.#statements.meta.get("secret") as Row).value as Uint8Array;
      const rows = this.#statements.states.all() as Row[];
      this.#states = { ...NO_JOBS, ...Object.fromEntries(rows.map(({ state, jobs }) => [state as State, jobs])) };
      this.#bytesAtOpen = rows.reduce((sum, { bytes }) => sum + (bytes as number), 0);
    } catch (error) {
      this.#database.close();
      throw unusable(error);
    }
  }

  /**
   * Adds a job that was not started.
   *
   * @param text the spec as `encodeSpec` writes it
   * @param digest of the request that the spec's request id names
   */
  add(spec: JobSpec, text: string, digest?: string): void {
    const at = spec.registeredAt.getTime();
    const owner = spec.owner ?? "";
    this.#atomically(() => {
      const { lastInsertRowid: key } = this.#statements.addJob.run(spec.id, owner, lineOf(spec), at, text.length);
      this.#statements.addSpec.run(key, text);
      for (const [name, value] of Object.entries(spec.labels ?? {})) this.#statements.addLabel.run(name, value, key);
      const seq = this.#addChange(key, at, null, "INITIAL", encodeStatus(spec.id, { state: "INITIAL" }), {
        by: spec.owner,
      });
      this.#statements.setSeq.run(seq, key);
      if (spec.requestId !== undefined && digest !== undefined) {
        this.#statements.addRequest.run(owner, spec.requestId, digest, spec.id);
      }
    });
    this.#states.INITIAL += 1;
  }

  /** Notes a new status, and what came to be known with it. */
  change(id: string, status: ProcessStatus, known: StatusDetails = {}): void {
    const at = Date.now();
    const startedAt = "startedAt" in status ? status.startedAt?.getTime() : undefined;
    const endedAt = "endedAt" in status ? status.endedAt.getTime() : isFinalState(status.state) ? at : null;
    const was = this.#atomically(() => {
      const { key, was } = this.#row(id);
      const { state } = status;
      const { process, output } = known;
      const seq = this.#addChange(key, at, was, state, encodeStatus(id, status), {
        ...known,
        process: process && encodeProcess(id, process),
        output: output && encodeOutput(id, output),
      });
      // What could not be started has no such time, though the intent had.
      if (state === "FAILED") this.#statements.unstartJob.run(key);
      if (endedAt !== null) this.#statements.endJob.run(state, endedAt, known.outputBytes ?? 0, seq, key);
      else if (state !== "STOPPING") this.#statements.startJob.run(state, startedAt ?? null, seq, key);
      else this.#statements.changeJob.run(state, seq, key);
      return was;
    });
    this.#states[was] -= 1;
    this.#states[status.state] += 1;
  }

  /** The row of a job that is there. */
  #row(id: string): { readonly key: number; readonly was: State } {
    const row = this.#statements.stateOf.get(id) as Row | undefined;
    if (row === undefined) throw new Error(`There is no job "${id}" to change`);
    if (row.id !== id) throw new RecordDamagedError();
    return { key: row.key as number, was: row.state as State };
  }

  /** Returns the number of the change. */
  #addChange(
    key: number | bigint | null,
    at: number,
    was: State | null,
    state: string,
    status: string,
    texts: { readonly [name in "by" | "process" | "output"]?: string | undefined } & { readonly reason?: Reason },
  ): number | bigint {
    const { reason, by, process, output } = texts;
    return this.#statements.addChange
      .run(key, at, was, state, status, reason ?? null, by ?? null, process ?? null, output ?? null).lastInsertRowid;
  }

  /**
   * Forgets a job; its output is then to be deleted, which `deleted` ends. Returns what it took on the disk, in bytes;
   * undefined where there is no such job.
   */
  remove(id: string): number | undefined {
    const job = this.get(id);
    if (job === undefined) return undefined;
    const { key, spec, status } = job;
    const { owner, labels = {}, registeredAt } = spec;
    const tombstone: Tombstone = { id, owner, labels, line: lineOf(spec), registeredAt, status };
    const removedBytes = this.#atomically(() => {
      const { bytes } = this.#statements.bytesOf.get(key) as Row;
      // First, so that the last change of all is always there: the next is numbered behind it.
      const seq = this.#addChange(null, Date.now(), status.state, "REMOVED", encodeTombstone(tombstone), {});
      for (const sql of ["removeChanges", "removeSpec", "removeJob"] as const) this.#statements[sql].run(key);
      for (const [name, value] of Object.entries(labels)) this.#statements.removeLabel.run(name, value, key);
      if (spec.requestId !== undefined) this.#statements.removeRequest.run(seq, owner ?? "", spec.requestId);
      this.#statements.addRemoval.run(id);
      this.#forgetTombstones();
      return bytes as number;
    });
    this.#states[status.state] -= 1;
    return removedBytes;
  }

  #forgetTombstones(): void {
    const last = this.#statements.lastTombstone.get(MAX_TOMBSTONES) as Row | undefined;
    if (last === undefined) return;
    const seq = last.seq as number;
    this.#statements.removeTombstones.run(seq);
    this.#statements.removeRequests.run(seq);
    this.#statements.setMeta.run(seq, "forgotten");
  }

  /** Notes what the output of a job amounts to whose end was on record before. */
  settle(id: string, output: StoredOutput, outputBytes: number): void {
    this.#atomically(() => {
      const { key } = this.#row(id);
      this.#statements.settle.run(encodeOutput(id, output), key);
      this.#statements.settleBytes.run(outputBytes, key);
    });
  }

  /** The output of a forgotten job is deleted. */
  deleted(id: string): void {
    this.#statements.removeRemoval.run(id);
  }

  /** Forgotten jobs whose output is still to be deleted. */
  removals(): string[] {
    return this.#read(() => this.#statements.removals.all().map((row) => (row as Row).id as string));
  }

  /** One job; undefined where there is none. */
  get(id: string): StoredJob | undefined {
    return this.#read(() => {
      const row = this.#statements.get.get(id) as Row | undefined;
      return row && readJob(row);
    });
  }

  /** The job that was asked for with this request id before. */
  request(owner: string | undefined, requestId: string): StoredRequest | undefined {
    const row = this.#read(() => this.#statements.request.get(owner ?? "", requestId) as Row | undefined);
    if (row === undefined) return undefined;
    const { id, digest, removed } = row;
    if (removed === null && this.get(id as string)?.spec.requestId !== requestId) throw new RecordDamagedError();
    return { id: id as string, digest: digest as string, isRemoved: removed !== null };
  }

  /** Jobs that were started and whose end is not, or not wholly, on record. */
  unfinished(): StoredJob[] {
    return this.#read(() => this.#statements.unfinished.all().map((row) => readJob(row as Row)));
  }

  /** The number of jobs in each state now. */
  get states(): Readonly<Record<State, number>> {
    return { ...this.#states };
  }

  /** The number of jobs now, and the bytes that they took on the disk when the store was opened. */
  totals(): { readonly jobs: number; readonly bytes: number } {
    return { jobs: Object.values(this.#states).reduce((sum, jobs) => sum + jobs, 0), bytes: this.#bytesAtOpen };
  }

  /**
   * The time that an earlier process noted, at most ten seconds before its last write; or else that of the last change.
   * In ms since 1970; undefined for a new store.
   */
  get lastSeenMs(): number | undefined {
    const { seen } = this.#read(() => this.#statements.lastSeen.get() as Row);
    return seen === null ? undefined : seen as number;
  }

  /** Notes the time, for the next process. One that is not written costs that process a wait. */
  seen(): void {
    try {
      this.#atomically(() => this.#statements.setSeen.run(Date.now()));
    } catch {
      // The disk is full: see above.
    }
  }

  /** Jobs that have ended, oldest end first, behind one of them. */
  ended(after: EndedJob | undefined, limit: number): EndedJob[] {
    const at = after?.endedAt.getTime() ?? -1;
    const rows = this.#read(() => this.#statements.ended.all(at, after?.key ?? 0, limit) as Row[]);
    return rows.map(({ key, id, ended_at }) => {
      return { key: key as number, id: id as string, endedAt: new Date(ended_at as number) };
    });
  }

  /** Now, in the history of all jobs. */
  get now(): Moment {
    const { seq, key } = this.#read(() => this.#statements.now.get() as Row);
    return { seq: seq as number, key: key as number };
  }

  /** Changes up to this one may be missing: jobs were forgotten, and that they were is forgotten too. */
  get forgottenChange(): number {
    return this.#read(() => (this.#statements.meta.get("forgotten") as Row).value as number);
  }

  /** Changes behind one, oldest first; not all of them where they are many. */
  changesAfter(seq: number): StoredChange[] {
    return this.#read(() => {
      const changes: StoredChange[] = [];
      let chars = 0;
      for (const row of this.#statements.changesAfter.iterate(seq, MAX_CHANGES)) {
        chars += charsOf(row as Row);
        if (changes.length > 0 && chars > MAX_BLOCK_CHARS) break;
        changes.push(readChange(row as Row));
      }
      return changes;
    });
  }

  /** The status of a job as it was right behind a change; undefined where it was not registered then. */
  statusAt({ key, spec }: StoredJob, seq: number): ProcessStatus | undefined {
    return this.#read(() => {
      const row = this.#statements.statusAt.get(key, seq) as Row | undefined;
      return row && decodeStatus(spec.id, row.status as string);
    });
  }

  /**
   * Jobs that a query means: as many as go into one block, at least one where there is any.
   *
   * @param limit at most so many
   * @returns `more`: there are others behind these
   */
  select(query: JobQuery, limit: number): SelectedJobs {
    const selecting = this.#selecting(query, limit);
    while (true) {
      const step = this.#read(() => selecting.next());
      if (step.done) return step.value;
    }
  }

  /** As `select`, in steps between which the event loop turns: jobs with long command lines take milliseconds each. */
  async selectInTurns(query: JobQuery, limit: number): Promise<SelectedJobs> {
    const selecting = this.#selecting(query, limit);
    while (true) {
      await loopTurn();
      const step = this.#read(() => selecting.next());
      if (step.done) return step.value;
    }
  }

  /** As `select`, of the jobs the keys alone. */
  selectKeys(query: JobQuery, limit: number): { readonly keys: number[]; readonly more: boolean } {
    return this.#read(() => {
      const rows = this.#keyRows(query, limit);
      return { keys: rows.slice(0, limit).map(({ key }) => key as number), more: rows.length > limit };
    });
  }

  /** One job by its key; undefined where there is none. */
  getByKey(key: number): StoredJob | undefined {
    return this.#read(() => {
      const row = this.#statements.getByKey.get(key) as Row | undefined;
      return row && readJob(row);
    });
  }

  /** One more than the limit, where there is one. */
  #keyRows(query: JobQuery, limit: number): Row[] {
    const { sql, values } = keysQuery(query, this.#rarestFirst(query.labels ?? {}));
    return this.#database.prepare(sql).all(...values, limit + 1) as Row[];
  }

  /** Yields when it has read some. */
  *#selecting(query: JobQuery, limit: number): Generator<void, SelectedJobs, void> {
    const keys = this.#keyRows(query, limit);
    const jobs: StoredJob[] = [];
    let chars = 0;
    let yieldedChars = 0;
    for (const { key, sorted_at } of keys) {
      const row = this.#statements.getByKey.get(key as number) as Row | undefined;
      if (row === undefined) continue; // Removed since the keys were read.
      chars += charsOf(row);
      if (jobs.length === limit || (jobs.length > 0 && chars > MAX_BLOCK_CHARS)) return { jobs, more: true };
      jobs.push(readJob({ ...row, sorted_at: sorted_at ?? null }));
      if (jobs.length % STEP_JOBS !== 0 && chars - yieldedChars < STEP_CHARS) continue;
      yieldedChars = chars;
      yield;
    }
    return { jobs, more: false };
  }

  /** Jobs are looked for among those with the first label: it pays to take the one that fewest have. */
  #rarestFirst(labels: Readonly<Record<string, string>>): (readonly [string, string])[] {
    const entries = Object.entries(labels);
    if (entries.length < 2) return entries;
    return entries
      .map((label) => ({ label, count: (this.#statements.countLabel.get(...label, MANY) as Row).count as number }))
      .sort((a, b) => a.count - b.count)
      .map(({ label }) => label);
  }

  #atomically<T>(write: () => T): T {
    const startMs = performance.now();
    try {
      this.#statements.begin.run();
      const result = write();
      const isNoted = startMs - this.#notedAtMs >= NOTE_MS && this.#options.isClockBelieved?.() === true;
      if (isNoted) this.#statements.setSeen.run(Date.now());
      this.#statements.commit.run();
      if (isNoted) this.#notedAtMs = startMs;
      this.#options.onWrite?.(performance.now() - startMs);
      return result;
    } catch (error) {
      // Where the disk is full, SQLite has done it already.
      if (this.#database.isTransaction) this.#statements.rollback.run();
      throw unwritten(error);
    }
  }

  /** @throws {RecordDamagedError} when what is to be read cannot be, or is not what was written */
  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw unread(error);
    }
  }

  /** Closes the database; another process may have it then. */
  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** What of a row can be long. */
function charsOf({ spec, status }: Row): number {
  return String(spec ?? "").length + String(status).length;
}
