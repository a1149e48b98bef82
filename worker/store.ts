/**
 * What outlives the server: every job with its status and the totals of its output, in an SQLite database. It knows rows
 * and no rules; the order in which they are written is the job's and the supervisor's business.
 *
 * Every write is on its way to the disk when the call returns (WAL, synchronous=NORMAL): a crash of this process loses
 * none of them, a power failure may lose the last ones but never leaves half of one. Source: sqlite.org/wal.html
 */
import { DatabaseSync } from "node:sqlite";
import { DirectoryInUseError } from "./errors.ts";
import type { JobSpec } from "./job_spec.ts";
import type { Place } from "./output_cursor.ts";
import type { OutputTotals } from "./output_log.ts";
import type { ProcessStatus } from "./state.ts";

/** Each entry brings a database of the version before it (its index) to the next. Never changed once released. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE jobs (
     id TEXT PRIMARY KEY, -- sorts by registration
     spec TEXT NOT NULL, -- JSON: all that does not change
     status TEXT NOT NULL, -- JSON
     process TEXT, -- JSON: what tells its processes from others, once it was started
     output TEXT -- JSON: what its output amounts to, once it has ended
   ) STRICT;
   CREATE TABLE changes (
     id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
     at INTEGER NOT NULL, -- ms since 1970
     status TEXT NOT NULL -- JSON
   ) STRICT;
   CREATE INDEX changes_of_job ON changes (id);`,
];

/** What tells a job's processes from all others, also after the server's end. */
export interface StoredProcess {
  /** Of the system's start: pids mean nothing beyond it. */
  readonly bootId: string;
  /** Undefined where the job was about to start. */
  readonly leader?: number;
  /** In clock ticks since boot. */
  readonly startTime?: number;
}

/** What a job's output amounts to. */
export interface StoredOutput {
  readonly end: Place;
  readonly totals: OutputTotals;
}

/** A job as it stands in the store. */
export interface StoredJob {
  readonly spec: JobSpec;
  readonly status: ProcessStatus;
  readonly process?: StoredProcess;
  readonly output?: StoredOutput;
}

type Statements = Readonly<Record<keyof typeof SQL, ReturnType<DatabaseSync["prepare"]>>>;

/** The jobs of one data directory. One process at a time has it. */
export class Store implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;

  /**
   * @param path of the database; made where it is not there
   * @throws {DirectoryInUseError} when another process has it
   */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    try {
      this.#database.exec(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
      );
      this.#migrate();
      this.#statements = Object.fromEntries(
        Object.entries(SQL).map(([name, sql]) => [name, this.#database.prepare(sql)]),
      ) as Statements;
    } catch (error) {
      this.#database.close();
      if (error instanceof Error && /database is locked/.test(error.message)) throw new DirectoryInUseError();
      throw error;
    }
  }

  #migrate(): void {
    const { user_version } = this.#database.prepare("PRAGMA user_version").get() as { user_version: number };
    if (user_version > MIGRATIONS.length) {
      throw new Error(
        `The database is of version "${user_version}", this program knows "${MIGRATIONS.length}": use a newer one`,
      );
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < user_version) continue;
      this.#database.exec(`BEGIN; ${migration} PRAGMA user_version=${index + 1}; COMMIT;`);
    }
    // Takes the lock now, also where there was nothing to migrate.
    this.#database.exec("BEGIN EXCLUSIVE; COMMIT;");
  }

  /** Adds a job that was not started. */
  add(spec: JobSpec): void {
    this.#statements.add.run(spec.id, encode(spec), encode({ state: "INITIAL" }));
  }

  /** Notes a new status, and what came to be known with it. */
  change(id: string, status: ProcessStatus, known: { process?: StoredProcess; output?: StoredOutput } = {}): void {
    const text = encode(status);
    this.#database.exec("BEGIN");
    try {
      const { process, output } = known;
      this.#statements.change.run(text, process ? encode(process) : null, output ? encode(output) : null, id);
      this.#statements.addChange.run(id, Date.now(), text);
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Forgets a job. */
  remove(id: string): void {
    this.#statements.remove.run(id);
  }

  /** All jobs, in the order of their registration. */
  all(): StoredJob[] {
    return this.#statements.all.all().map((row) => {
      const { spec, status, process, output } = row as Record<string, string | null>;
      return {
        spec: decode(spec ?? "") as JobSpec,
        status: decode(status ?? "") as ProcessStatus,
        ...(process ? { process: decode(process) as StoredProcess } : {}),
        ...(output ? { output: decode(output) as StoredOutput } : {}),
      };
    });
  }

  /** Closes the database; another process may have it then. */
  [Symbol.dispose](): void {
    this.#database.close();
  }
}

const SQL = {
  add: "INSERT INTO jobs (id, spec, status) VALUES (?, ?, ?)",
  change: "UPDATE jobs SET status = ?, process = coalesce(?, process), output = coalesce(?, output) WHERE id = ?",
  addChange: "INSERT INTO changes (id, at, status) VALUES (?, ?, ?)",
  remove: "DELETE FROM jobs WHERE id = ?",
  all: "SELECT spec, status, process, output FROM jobs ORDER BY id",
} as const;

/** JSON has neither dates nor bytes: they are marked as such. */
function encode(value: object): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, text) {
    const raw = this[key];
    if (raw instanceof Date) return { $date: raw.getTime() };
    if (raw instanceof Uint8Array) return { $bytes: raw.toBase64() };
    return text;
  });
}

function decode(text: string): unknown {
  return JSON.parse(text, (_key, value) => {
    if (typeof value?.$date === "number") return new Date(value.$date);
    if (typeof value?.$bytes === "string") return Uint8Array.fromBase64(value.$bytes);
    return value;
  });
}
