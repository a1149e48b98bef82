/**
 * Stores every job with its status and the totals of its output in an SQLite database. The store knows rows and no rules:
 * jobs and the supervisor decide what is written and in which order.
 * The system has every write when the call returns (WAL, synchronous=NORMAL). So a crash of this process loses no write.
 * A power failure may lose the last writes, but never a part of one. Source: sqlite.org/wal.html
 */
import { openError } from "./sqlite_error.ts";
import { lineOf } from "../job/filter.ts";
import type { JobSpec } from "../job/spec.ts";
import { isFinalState, type ProcessStatus, type State } from "../process/state.ts";
import { RecordDamagedError } from "../storage_errors.ts";
import { ChangeHistory } from "./change_history.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { encodeOutput, encodeProcess, encodeStatus, encodeTombstone } from "./json.ts";
import { readJob, type Row } from "./decode_row.ts";
import { JobSelection } from "./job_selection.ts";
import { StateCounts } from "./state_counts.ts";
import type { EndedJob, StoredJob, StoredRequest, Tombstone } from "./rows.ts";
import type { StatusDetails, StoredOutput } from "../job/status_details.ts";

/** The jobs of one data directory. Only one process at a time can open it. */
export class Store implements Disposable {
  /** The changes of all jobs. */
  readonly history: ChangeHistory;
  /** Reads the jobs that a query selects. */
  readonly selection: JobSelection;
  /** A random key, never shown. The next process can open the tokens that were sealed with it. */
  readonly secret: Uint8Array;
  /** The bytes that all jobs and their output used on the disk when the store was opened. */
  readonly bytesAtOpen: number;
  readonly #connection: Connection;
  readonly #counts: StateCounts;

  /**
   * @param path the path of the database; `:memory:` for a store without a file
   * @throws {DirectoryInUseError} when another process uses it
   * @throws {StoreUnusableError} when it is damaged, of a newer version, or cannot be written
   */
  constructor(path: string, options: ConnectionOptions = {}) {
    this.#connection = new Connection(path, options);
    this.history = new ChangeHistory(this.#connection);
    this.selection = new JobSelection(this.#connection);
    try {
      const { meta, states } = this.#connection.statements;
      this.secret = (meta.get("secret") as Row).value as Uint8Array;
      const rows = states.all() as Row[];
      this.#counts = new StateCounts(Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs as number])));
      this.bytesAtOpen = rows.reduce((sum, { bytes }) => sum + (bytes as number), 0);
    } catch (error) {
      this.#connection[Symbol.dispose]();
      throw openError(error);
    }
  }

  /**
   * Adds a job in state INITIAL.
   *
   * @param text the spec, encoded by `encodeSpec()`
   * @param digest the digest of the request, when the spec has a request id
   */
  add(spec: JobSpec, text: string, digest?: string): void {
    this.#connection.assertThere();
    const { statements } = this.#connection;
    const at = spec.registeredAt.getTime();
    const owner = spec.owner ?? "";
    const row = [spec.id, owner, spec.name ?? null, lineOf(spec), at, text.length] as const;
    this.#connection.transaction(() => {
      const { lastInsertRowid: key } = statements.addJob.run(...row);
      statements.addSpec.run(key, text);
      for (const [name, value] of Object.entries(spec.labels ?? {})) statements.addLabel.run(name, value, key);
      const status = encodeStatus(spec.id, { state: "INITIAL" });
      const seq = this.history.add({ key, at, was: null, state: "INITIAL", status, by: spec.owner });
      statements.setSeq.run(seq, key);
      if (spec.requestId !== undefined && digest !== undefined) {
        statements.addRequest.run(owner, spec.requestId, digest, spec.id);
      }
    });
    this.#counts.change(undefined, "INITIAL");
  }

  /** Stores a new status of a job with its details. */
  change(id: string, status: ProcessStatus, details: StatusDetails = {}): void {
    const { statements } = this.#connection;
    const at = Date.now();
    const { state } = status;
    if (state === "STARTING") this.#connection.assertThere();
    const startedAt = "startedAt" in status ? status.startedAt?.getTime() : undefined;
    const endedAt = "endedAt" in status ? status.endedAt.getTime() : isFinalState(state) ? at : null;
    const was = this.#connection.transaction(() => {
      const { key, was } = this.#rowOf(id);
      const { reason, by, process, output, outputBytes = 0 } = details;
      const seq = this.history.add({
        key,
        at,
        was,
        state,
        status: encodeStatus(id, status),
        reason,
        by,
        process: process && encodeProcess(id, process),
        output: output && encodeOutput(id, output),
      });
      // A job that could not be started has no start time, but its intent to start had.
      if (state === "FAILED") statements.unstartJob.run(key);
      if (endedAt !== null) statements.endJob.run(state, endedAt, outputBytes, seq, key);
      else if (state !== "STOPPING") statements.startJob.run(state, startedAt ?? null, seq, key);
      else statements.changeJob.run(state, seq, key);
      return was;
    });
    this.#counts.change(was, state);
  }

  /** Reads the key and the state of a job that exists. */
  #rowOf(id: string): { readonly key: number; readonly was: State } {
    const row = this.#connection.statements.stateOf.get(id) as Row | undefined;
    if (row === undefined) throw new Error(`Cannot change job "${id}": it does not exist`);
    if (row.id !== id) throw new RecordDamagedError();
    return { key: row.key as number, was: row.state as State };
  }

  /**
   * Removes a job. The caller then deletes its output and calls `endRemoval()`.
   *
   * @returns the bytes that the job used on the disk; undefined when it does not exist
   */
  remove(id: string): number | undefined {
    const job = this.get(id);
    if (job === undefined) return undefined;
    const { statements } = this.#connection;
    const { key, spec, status } = job;
    const { owner, labels = {}, registeredAt } = spec;
    const tombstone: Tombstone = { id, owner, labels, line: lineOf(spec), registeredAt, status };
    const bytes = this.#connection.transaction(() => {
      const { bytes } = statements.bytesOf.get(key) as Row;
      // Stored before changes are deleted: SQLite numbers the next change after the last one that exists.
      const seq = this.history.add({
        key: null,
        at: Date.now(),
        was: status.state,
        state: "REMOVED",
        status: encodeTombstone(tombstone),
      });
      for (const sql of ["removeChanges", "removeSpec", "removeJob"] as const) statements[sql].run(key);
      for (const [name, value] of Object.entries(labels)) statements.removeLabel.run(name, value, key);
      if (spec.requestId !== undefined) statements.removeRequest.run(seq, owner ?? "", spec.requestId);
      statements.addRemoval.run(id);
      this.history.deleteOldTombstones();
      return bytes as number;
    });
    this.#counts.change(status.state, undefined);
    return bytes;
  }

  /** Stores that the output of a removed job is deleted. */
  endRemoval(id: string): void {
    this.#connection.statements.removeRemoval.run(id);
  }

  /** Returns the ids of removed jobs whose output is not deleted yet. */
  unfinishedRemovals(): string[] {
    return this.#connection.read(() =>
      this.#connection.statements.removals.all().map((row) => (row as Row).id as string)
    );
  }

  /** Stores the totals of the output of a job whose end was stored without them. */
  setOutput(id: string, output: StoredOutput, outputBytes: number): void {
    const { setOutput, setOutputBytes } = this.#connection.statements;
    this.#connection.transaction(() => {
      const { key } = this.#rowOf(id);
      setOutput.run(encodeOutput(id, output), key);
      setOutputBytes.run(outputBytes, key);
    });
  }

  /** Returns a job; undefined when it does not exist. */
  get(id: string): StoredJob | undefined {
    return this.#readJob(() => this.#connection.statements.get.get(id));
  }

  /** Returns a job by its key; undefined when it does not exist. */
  getByKey(key: number): StoredJob | undefined {
    return this.#readJob(() => this.#connection.statements.getByKey.get(key));
  }

  #readJob(query: () => unknown): StoredJob | undefined {
    return this.#connection.read(() => {
      const row = query() as Row | undefined;
      return row && readJob(row);
    });
  }

  /** Returns the earlier request of an owner with this request id; undefined when there is none. */
  findRequest(owner: string | undefined, requestId: string): StoredRequest | undefined {
    const { request } = this.#connection.statements;
    const row = this.#connection.read(() => request.get(owner ?? "", requestId) as Row | undefined);
    if (row === undefined) return undefined;
    const { id, digest, removed } = row;
    if (removed === null && this.get(id as string)?.spec.requestId !== requestId) throw new RecordDamagedError();
    return { id: id as string, digest: digest as string, isRemoved: removed !== null };
  }

  /** Returns the started jobs whose end, or whose totals of output, are not stored. */
  unfinishedJobs(): StoredJob[] {
    return this.#connection.read(() => this.#connection.statements.unfinished.all().map((row) => readJob(row as Row)));
  }

  /** Returns ended jobs after the given one, oldest end first. */
  endedJobs(after: EndedJob | undefined, limit: number): EndedJob[] {
    const at = after?.endedAt.getTime() ?? -1;
    const { ended } = this.#connection.statements;
    const rows = this.#connection.read(() => ended.all(at, after?.key ?? 0, limit) as Row[]);
    return rows.map(({ key, id, ended_at }) => {
      return { key: key as number, id: id as string, endedAt: new Date(ended_at as number) };
    });
  }

  /** The number of jobs in each state. */
  get states(): Readonly<Record<State, number>> {
    return this.#counts.byState();
  }

  /** The number of jobs. */
  get count(): number {
    return this.#counts.total;
  }

  /**
   * The last time that a process stored, in ms since 1970: at most ten seconds before its last write. In older databases
   * the time of the last change. Undefined in a new store.
   */
  get lastSeenMs(): number | undefined {
    const { seen } = this.#connection.read(() => this.#connection.statements.lastSeen.get() as Row);
    return seen === null ? undefined : seen as number;
  }

  /** Stores the time for the next process. After a failure, retention of that process waits. */
  noteTime(): void {
    try {
      this.#connection.transaction(() => this.#connection.statements.setSeen.run(Date.now()));
    } catch {
      // The disk is full.
    }
  }

  /** Closes the database. Another process may use it afterwards. */
  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}
