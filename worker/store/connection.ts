/** The connection to the database: prepared statements, transactions, and the stored time. */
import type { DatabaseSync } from "node:sqlite";
import { FileIdentity } from "../../base/file_identity.ts";
import { type DatabaseOptions, openDatabase } from "./database.ts";
import type { Row } from "./decode_row.ts";
import { SQL } from "./sql.ts";
import { openError, readError, writeError } from "./sqlite_error.ts";
import { directoryGone } from "../write_advice.ts";

type Statement = ReturnType<DatabaseSync["prepare"]>;

/** The age of the stored time at which a write stores it again, in milliseconds. */
const TIME_MS = 10_000;

/** The options of a connection. */
export interface ConnectionOptions extends DatabaseOptions {
  /** Called after each write with its duration in milliseconds. */
  readonly onWrite?: (durationMs: number) => void;
  /** Returns whether the next process may compare its clock with the time of this one. Absent: it may not. */
  readonly isClockTrusted?: () => boolean;
}

/** A connection to the database of one data directory. */
export class Connection implements Disposable {
  readonly statements: Readonly<Record<keyof typeof SQL, Statement>>;
  readonly #database: DatabaseSync;
  readonly #options: ConnectionOptions;
  /** Undefined for a database without a file. */
  readonly #file: FileIdentity | undefined;
  /** When the time was last stored, on the clock that nobody sets. */
  #timeStoredAtMs = -Infinity;

  /**
   * @throws {DirectoryInUseError} when another process uses the database
   * @throws {StoreUnusableError} when it is damaged, of a newer version, or cannot be written
   */
  constructor(path: string, options: ConnectionOptions) {
    this.#options = options;
    this.#database = openDatabase(path, options);
    this.#file = path === ":memory:" ? undefined : new FileIdentity(path);
    try {
      this.statements = Object.fromEntries(
        Object.entries(SQL).map(([name, sql]) => [name, this.#database.prepare(sql)]),
      ) as Record<keyof typeof SQL, Statement>;
    } catch (error) {
      this.#database.close();
      throw openError(error);
    }
  }

  /**
   * Checks that the file is still at its path. The next process would not find what is written elsewhere.
   *
   * @throws {Error} when it was deleted, moved or replaced
   */
  assertThere(): void {
    if (this.#file?.isThere === false) throw directoryGone();
  }

  /** Prepares and runs a query that is composed at run time. */
  query(sql: string, values: readonly (string | number)[]): Row[] {
    return this.#database.prepare(sql).all(...values) as Row[];
  }

  /** Runs writes as one transaction: all of them are stored, or none. */
  transaction<T>(write: () => T): T {
    const startMs = performance.now();
    try {
      this.statements.begin.run();
      const result = write();
      const isTimeStored = startMs - this.#timeStoredAtMs >= TIME_MS && this.#options.isClockTrusted?.() === true;
      if (isTimeStored) this.statements.setSeen.run(Date.now());
      this.statements.commit.run();
      if (isTimeStored) this.#timeStoredAtMs = startMs;
      this.#options.onWrite?.(performance.now() - startMs);
      return result;
    } catch (error) {
      // On a full disk, SQLite has rolled back already.
      if (this.#database.isTransaction) this.statements.rollback.run();
      throw writeError(error);
    }
  }

  /**
   * Runs reads.
   *
   * @throws {RecordDamagedError} when the rows cannot be read, or are not as they were written
   */
  read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw readError(error);
    }
  }

  /** Closes the database. Another process may use it afterwards. */
  [Symbol.dispose](): void {
    this.#database.close();
  }
}
