/** The history of all jobs: numbered changes, oldest first, and for a while the jobs that were removed. */
import { decodeStatus, encodeProcess } from "./json.ts";
import type { Connection } from "./connection.ts";
import { charsOf, readChange, type Row } from "./decode_row.ts";
import { MAX_BLOCK_CHARS } from "./job_selection.ts";
import type { Moment } from "./list_query.ts";
import type { StoredProcess } from "../job/status_details.ts";
import type { ProcessStatus, Reason, State } from "../process/state.ts";
import type { StoredChange, StoredJob } from "./rows.ts";

/** The number of removed jobs that the history keeps. A slower watcher starts from the beginning. */
const MAX_TOMBSTONES = 1_000;

/** The most changes read at a time. */
const MAX_CHANGES = 256;

/** A change to be stored. */
export interface NewChange {
  /** The key of the job; null when the job is removed. */
  readonly key: number | bigint | null;
  /** The time, in ms since 1970. */
  readonly at: number;
  /** The state before; null when the job is registered. */
  readonly was: State | null;
  readonly state: State | "REMOVED";
  /** The encoded status; of a removed job the encoded tombstone. */
  readonly status: string;
  readonly reason?: Reason | undefined;
  readonly by?: string | undefined;
  readonly process?: string | undefined;
  readonly output?: string | undefined;
}

/** The changes of all jobs. */
export class ChangeHistory {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Stores a change, inside a transaction of the caller. Returns its number. */
  add({ key, at, was, state, status, reason, by, process, output }: NewChange): number | bigint {
    return this.#connection.statements.addChange
      .run(key, at, was, state, status, reason ?? null, by ?? null, process ?? null, output ?? null).lastInsertRowid;
  }

  /** Stores other facts of the processes of a job with its last change. Adds no change. */
  setProcess(id: string, process: StoredProcess): void {
    this.#connection.transaction(() => this.#connection.statements.setProcess.run(encodeProcess(id, process), id));
  }

  /** Deletes the oldest removed jobs and their request ids, inside a transaction of the caller. */
  deleteOldTombstones(): void {
    const { lastTombstone, removeTombstones, removeRequests, setMeta } = this.#connection.statements;
    const last = lastTombstone.get(MAX_TOMBSTONES) as Row | undefined;
    if (last === undefined) return;
    const seq = last.seq as number;
    removeTombstones.run(seq);
    removeRequests.run(seq);
    setMeta.run(seq, "forgotten");
  }

  /** The current moment. */
  get now(): Moment {
    const { seq, key } = this.#connection.read(() => this.#connection.statements.now.get() as Row);
    return { seq: seq as number, key: key as number };
  }

  /** The last change that may be missing. Jobs were removed up to this change, and their removal is no longer stored. */
  get lastMissing(): number {
    return this.#connection.read(() => (this.#connection.statements.meta.get("forgotten") as Row).value as number);
  }

  /** Returns changes after the given one, oldest first: one block of them. */
  after(seq: number): StoredChange[] {
    return this.#connection.read(() => {
      const changes: StoredChange[] = [];
      let chars = 0;
      for (const row of this.#connection.statements.changesAfter.iterate(seq, MAX_CHANGES)) {
        chars += charsOf(row as Row);
        if (changes.length > 0 && chars > MAX_BLOCK_CHARS) break;
        changes.push(readChange(row as Row));
      }
      return changes;
    });
  }

  /** Returns the status of a job right after the given change; undefined when it was not registered then. */
  statusAt({ key, spec }: StoredJob, seq: number): ProcessStatus | undefined {
    return this.#connection.read(() => {
      const row = this.#connection.statements.statusAt.get(key, seq) as Row | undefined;
      return row && decodeStatus(spec.id, row.status as string);
    });
  }
}
