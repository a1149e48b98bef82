/** The tables of the store, and the migrations from each older version. */
import type { DatabaseSync } from "node:sqlite";
import { StoreUnusableError } from "../storage_errors.ts";

/** Each entry migrates a database from the version of its index to the next. A released entry never changes. */
export const MIGRATIONS: readonly string[] = [
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
  // Lists read narrow rows: 100,000 in 10 ms. Texts that are long or seldom change are in other tables. Changes are
  // numbered for watchers of many jobs.
  `DROP INDEX changes_of_job;
   ALTER TABLE jobs RENAME TO jobs_1;
   ALTER TABLE changes RENAME TO changes_1;
   CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE jobs (
     key INTEGER PRIMARY KEY AUTOINCREMENT, -- counts registrations
     id TEXT NOT NULL UNIQUE,
     state TEXT NOT NULL,
     owner TEXT NOT NULL, -- empty: nobody
     line TEXT NOT NULL, -- the command line as it is searched
     registered_at INTEGER NOT NULL, -- ms since 1970, as are all times
     started_at INTEGER,
     ended_at INTEGER, -- where nobody saw the end, when that was found
     spec_bytes INTEGER NOT NULL, -- what it takes here
     output_bytes INTEGER NOT NULL, -- what its output takes on the disk, once it has ended
     seq INTEGER NOT NULL -- of its last change
   ) STRICT;
   CREATE INDEX jobs_by_start ON jobs (started_at, key);
   CREATE INDEX jobs_by_end ON jobs (ended_at, key);
   CREATE TABLE specs (job INTEGER PRIMARY KEY, spec TEXT NOT NULL) STRICT;
   CREATE TABLE statuses (job INTEGER PRIMARY KEY, status TEXT NOT NULL, process TEXT, output TEXT) STRICT;
   CREATE TABLE labels (
     name TEXT NOT NULL, value TEXT NOT NULL, job INTEGER NOT NULL,
     PRIMARY KEY (name, value, job)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE changes (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     job INTEGER, -- NULL: the job was forgotten, and status is a tombstone
     at INTEGER NOT NULL,
     was TEXT, -- the state before; NULL: it was registered
     state TEXT NOT NULL,
     status TEXT NOT NULL,
     reason TEXT,
     by TEXT -- the user who asked
   ) STRICT;
   CREATE INDEX changes_of_job ON changes (job, seq);
   CREATE TABLE requests (
     owner TEXT NOT NULL, request_id TEXT NOT NULL, digest TEXT NOT NULL, id TEXT NOT NULL,
     removed INTEGER, -- the change by which the job was forgotten
     PRIMARY KEY (owner, request_id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX requests_of_removed ON requests (removed) WHERE removed IS NOT NULL;
   CREATE TABLE removals (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID; -- jobs whose output is still to be deleted
   INSERT INTO meta VALUES ('secret', randomblob(32)), ('forgotten', 0);
   INSERT INTO jobs (id, state, owner, line, registered_at, started_at, ended_at, spec_bytes, output_bytes, seq)
     SELECT id, status ->> '$.state', coalesce(spec ->> '$.owner', ''),
       substr((spec ->> '$.command') ||
         coalesce((SELECT group_concat(' ' || value, '') FROM json_each(spec, '$.args')), ''), 1, 1000),
       spec ->> '$.registeredAt."$date"', status ->> '$.startedAt."$date"',
       iif(status ->> '$.state' IN ('EXITED', 'KILLED', 'FAILED', 'LOST'),
         coalesce(status ->> '$.endedAt."$date"', (SELECT max(at) FROM changes_1 WHERE changes_1.id = jobs_1.id)), NULL),
       length(spec), coalesce(output ->> '$.end.position', 0), 0
     FROM jobs_1 ORDER BY id;
   INSERT INTO specs SELECT key, spec FROM jobs JOIN jobs_1 USING (id);
   INSERT INTO statuses SELECT key, status, process, output FROM jobs JOIN jobs_1 USING (id);
   INSERT INTO labels SELECT label.key, label.value, job FROM specs, json_each(spec, '$.labels') label;
   INSERT INTO changes (job, at, was, state, status, reason, by)
     SELECT job, at, lag(state) OVER (PARTITION BY job ORDER BY at, n), state, status,
       status ->> '$.reason', coalesce(status ->> '$.stoppedBy', iif(state = 'INITIAL', nullif(owner, ''), NULL))
     FROM (
       SELECT key AS job, registered_at AS at, 'INITIAL' AS state, '{"state":"INITIAL"}' AS status, owner, 0 AS n FROM jobs
       UNION ALL
       SELECT key, at, changes_1.status ->> '$.state', changes_1.status, owner, changes_1.rowid
       FROM changes_1 JOIN jobs USING (id)
     ) ORDER BY at, n;
   UPDATE jobs SET seq = (SELECT max(seq) FROM changes WHERE job = key);
   DROP TABLE changes_1;
   DROP TABLE jobs_1;`,
  // The status of a job is stored only with its last change, which writes fewer pages. AUTOINCREMENT is not needed,
  // because the last change is never deleted.
  `DROP INDEX jobs_by_start;
   DROP INDEX jobs_by_end;
   DROP INDEX changes_of_job;
   ALTER TABLE jobs RENAME TO jobs_2;
   ALTER TABLE changes RENAME TO changes_2;
   CREATE TABLE jobs (
     key INTEGER PRIMARY KEY, -- newer jobs have greater ones
     id TEXT NOT NULL UNIQUE,
     state TEXT NOT NULL,
     owner TEXT NOT NULL, -- empty: nobody
     line TEXT NOT NULL, -- the command line as it is searched
     registered_at INTEGER NOT NULL, -- ms since 1970, as are all times
     started_at INTEGER,
     ended_at INTEGER, -- where nobody saw the end, when that was found
     spec_bytes INTEGER NOT NULL, -- what it takes here
     output_bytes INTEGER NOT NULL, -- what its output takes on the disk, once it has ended
     seq INTEGER NOT NULL -- of its last change
   ) STRICT;
   CREATE INDEX jobs_by_start ON jobs (started_at, key);
   CREATE INDEX jobs_by_end ON jobs (ended_at, key);
   CREATE TABLE changes (
     seq INTEGER PRIMARY KEY,
     job INTEGER, -- NULL: the job was forgotten, and status is a tombstone
     at INTEGER NOT NULL,
     was TEXT, -- the state before; NULL: it was registered
     state TEXT NOT NULL,
     status TEXT NOT NULL, -- JSON, as are process and output
     reason TEXT,
     by TEXT, -- the user who asked
     process TEXT, -- what tells its processes from others, once it was started
     output TEXT -- what its output amounts to, once it has ended
   ) STRICT;
   INSERT INTO jobs SELECT * FROM jobs_2;
   INSERT INTO changes
     SELECT c.*, t.process, t.output FROM changes_2 c
     LEFT JOIN jobs j ON j.key = c.job AND j.seq = c.seq LEFT JOIN statuses t ON t.job = j.key;
   CREATE INDEX changes_of_job ON changes (job, seq);
   DROP TABLE jobs_2;
   DROP TABLE changes_2;
   DROP TABLE statuses;`,
  // Jobs get names. The second index has only what can be in the way of a new job, so it stays small.
  `ALTER TABLE jobs ADD COLUMN name TEXT; -- NULL: it has none
   CREATE INDEX jobs_by_name ON jobs (name, key) WHERE name IS NOT NULL;
   CREATE INDEX unended_names ON jobs (owner, name) WHERE name IS NOT NULL AND ended_at IS NULL;`,
];

/**
 * Migrates a database to the current version. An empty database gets all tables.
 *
 * @throws {StoreUnusableError} when the database has a newer version
 */
export function migrate(database: DatabaseSync): void {
  const { user_version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (user_version > MIGRATIONS.length) {
    throw new StoreUnusableError(
      `has version ${user_version}, but this program knows only ${MIGRATIONS.length}: use a newer program`,
    );
  }
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < user_version) continue;
    database.exec(`BEGIN EXCLUSIVE; ${migration} PRAGMA user_version=${index + 1}; COMMIT;`);
  }
}
