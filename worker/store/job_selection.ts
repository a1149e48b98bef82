/** Reads the jobs that a query selects, in blocks of bounded size. */
import { loopTurn } from "../loop_turns.ts";
import type { Connection } from "./connection.ts";
import { charsOf, readJob, type Row } from "./decode_row.ts";
import { type JobQuery, keysQuery, prefixBounds } from "./list_query.ts";
import type { StoredJob } from "./rows.ts";

/** The bounds of what is read before the event loop may turn. Both take a few milliseconds. */
const STEP_JOBS = 100;
const STEP_CHARS = 100_000;

/** The most characters of specs and statuses in one block. Each of them may be a megabyte. */
export const MAX_BLOCK_CHARS = 1_000_000;

/** The most jobs counted for a label or the prefix of an id. With more jobs it is not rare. */
const MAX_COUNTED = 2_000;

/** The most jobs that are compared with the beginning of an id before the event loop may turn. It takes about 1 ms. */
const STEP_KEYS = 5_000;

/** A block of selected jobs. */
export interface SelectedJobs {
  readonly jobs: StoredJob[];
  /** True when the query selects more jobs after these. */
  readonly more: boolean;
}

/** Reads selected jobs. */
export class JobSelection {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Reads one block of jobs: at least one if the query selects any, at most `limit`. */
  select(query: JobQuery, limit: number): SelectedJobs {
    const steps = this.#steps(query, limit);
    while (true) {
      const step = this.#connection.read(() => steps.next());
      if (step.done) return step.value;
    }
  }

  /** Like `select()`, but lets the event loop turn in between: jobs with long command lines take milliseconds each. */
  async selectInTurns(query: JobQuery, limit: number): Promise<SelectedJobs> {
    const steps = this.#steps(query, limit);
    while (true) {
      await loopTurn();
      const step = this.#connection.read(() => steps.next());
      if (step.done) return step.value;
    }
  }

  /** Like `select()`, but reads only the keys of the jobs. */
  selectKeys(query: JobQuery, limit: number): { readonly keys: number[]; readonly more: boolean } {
    return this.#connection.read(() => {
      const rows = this.#keyRows(query, limit);
      return { keys: rows.slice(0, limit).map(({ key }) => key as number), more: rows.length > limit };
    });
  }

  /** Returns the ids of the jobs of an owner that have this name and no stored end. */
  unendedNamed(owner: string | undefined, name: string): string[] {
    const { unendedNamed } = this.#connection.statements;
    return this.#connection.read(() => unendedNamed.all(owner ?? "", name).map((row) => (row as Row).id as string));
  }

  /** Reads one key more than the limit, if there is one. */
  #keyRows(query: JobQuery, limit: number): Row[] {
    const { sql, values } = keysQuery(
      query,
      this.#rarestFirst(query.labels ?? {}),
      query.idPrefix !== undefined && this.#isRarePrefix(query.idPrefix),
    );
    return this.#connection.query(sql, [...values, limit + 1]);
  }

  /** Reads a block, and yields after each step. */
  *#steps(query: JobQuery, limit: number): Generator<void, SelectedJobs, void> {
    const keys = yield* this.#keySteps(query, limit);
    const jobs: StoredJob[] = [];
    let chars = 0;
    let yieldedChars = 0;
    for (const { key, sorted_at } of keys) {
      const row = this.#connection.statements.getByKey.get(key as number) as Row | undefined;
      if (row === undefined) continue; // Removed after the keys were read.
      chars += charsOf(row);
      if (jobs.length === limit || (jobs.length > 0 && chars > MAX_BLOCK_CHARS)) return { jobs, more: true };
      jobs.push(readJob({ ...row, sorted_at: sorted_at ?? null }));
      if (jobs.length % STEP_JOBS !== 0 && chars - yieldedChars < STEP_CHARS) continue;
      yieldedChars = chars;
      yield;
    }
    return { jobs, more: false };
  }

  /**
   * Like `#keyRows()`, but yields while it reads many jobs in the order of their keys to find those with the beginning of
   * an id.
   */
  *#keySteps(query: JobQuery, limit: number): Generator<void, Row[], void> {
    const { idPrefix, name, labels = {}, orderBy, descending, after } = query;
    const isScan = idPrefix !== undefined && name === undefined && Object.keys(labels).length === 0 &&
      orderBy === "registeredAt" && !this.#isRarePrefix(idPrefix);
    if (!isScan) return this.#keyRows(query, limit);
    const bounds = this.#connection.statements.keyBounds.get() as Row;
    const lowest = Math.max(Number(bounds.lowest), descending ? 0 : (after?.key ?? 0));
    const highest = Math.min(Number(bounds.highest), descending ? (after?.key ?? Infinity) : Infinity);
    const rows: Row[] = [];
    for (let read = 0; read <= highest - lowest; read += STEP_KEYS) {
      if (read > 0) yield;
      const keys = descending
        ? [Math.max(lowest, highest - read - STEP_KEYS + 1), highest - read] as const
        : [lowest + read, Math.min(highest, lowest + read + STEP_KEYS - 1)] as const;
      const { sql, values } = keysQuery({ ...query, keys }, []);
      rows.push(...this.#connection.query(sql, [...values, limit + 1 - rows.length]));
      if (rows.length > limit) break;
    }
    return rows;
  }

  #isRarePrefix(prefix: string): boolean {
    const { countPrefix } = this.#connection.statements;
    return (countPrefix.get(...prefixBounds(prefix), MAX_COUNTED) as Row).count as number < MAX_COUNTED;
  }

  /** Sorts labels by how few jobs have them: the query reads all jobs with the first label. */
  #rarestFirst(labels: Readonly<Record<string, string>>): (readonly [string, string])[] {
    const entries = Object.entries(labels);
    if (entries.length < 2) return entries;
    const { countLabel } = this.#connection.statements;
    return entries
      .map((label) => ({ label, count: (countLabel.get(...label, MAX_COUNTED) as Row).count as number }))
      .sort((a, b) => a.count - b.count)
      .map(({ label }) => label);
  }
}
