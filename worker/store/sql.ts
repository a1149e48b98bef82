/** The SQL statements of the store. `list_query.ts` composes the statements for lists. */

const JOB = "j.key, j.id, j.owner, j.name, j.state, j.seq, s.spec, c.job AS of_job, c.status, c.process, c.output";
const JOINED = "JOIN specs s ON s.job = j.key JOIN changes c ON c.seq = j.seq";

export const SQL = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  meta: "SELECT value FROM meta WHERE name = ?",
  setMeta: "UPDATE meta SET value = ? WHERE name = ?",
  setSeen: "INSERT OR REPLACE INTO meta VALUES ('seen', ?)",
  lastSeen: `SELECT coalesce((SELECT value FROM meta WHERE name = 'seen'),
    (SELECT at FROM changes ORDER BY seq DESC LIMIT 1)) AS seen`,
  addJob: `INSERT INTO jobs (id, state, owner, name, line, registered_at, spec_bytes, output_bytes, seq)
    VALUES (?, 'INITIAL', ?, ?, ?, ?, ?, 0, 0)`,
  addSpec: "INSERT INTO specs VALUES (?, ?)",
  addLabel: "INSERT INTO labels VALUES (?, ?, ?)",
  addChange: `INSERT INTO changes (job, at, was, state, status, reason, by, process, output)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  addRequest: "INSERT INTO requests (owner, request_id, digest, id) VALUES (?, ?, ?, ?)",
  setSeq: "UPDATE jobs SET seq = ? WHERE key = ?",
  // Reads the id from the row. SQLite would read it from the index, which may be damaged and lead to another row.
  stateOf: "SELECT key, state, (SELECT id FROM jobs r WHERE r.key = j.key) AS id FROM jobs j WHERE j.id = ?",
  // A column that is not set costs no change of an index.
  changeJob: "UPDATE jobs SET state = ?, seq = ? WHERE key = ?",
  startJob: "UPDATE jobs SET state = ?, started_at = ?, seq = ? WHERE key = ?",
  unstartJob: "UPDATE jobs SET started_at = NULL WHERE key = ?",
  // A clock that is not set at boot may show a time before the start of the job. Its age must not count from that.
  endJob: `UPDATE jobs SET state = ?, ended_at = max(?, coalesce(started_at, registered_at)), output_bytes = ?, seq = ?
    WHERE key = ?`,
  setOutput: "UPDATE changes SET output = ? WHERE seq = (SELECT seq FROM jobs WHERE key = ?)",
  setProcess: "UPDATE changes SET process = ? WHERE seq = (SELECT seq FROM jobs WHERE id = ?)",
  setOutputBytes: "UPDATE jobs SET output_bytes = ? WHERE key = ?",
  bytesOf: "SELECT spec_bytes + output_bytes AS bytes FROM jobs WHERE key = ?",
  removeChanges: "DELETE FROM changes WHERE job = ?",
  removeSpec: "DELETE FROM specs WHERE job = ?",
  removeJob: "DELETE FROM jobs WHERE key = ?",
  removeLabel: "DELETE FROM labels WHERE name = ? AND value = ? AND job = ?",
  removeRequest: "UPDATE requests SET removed = ? WHERE owner = ? AND request_id = ?",
  addRemoval: "INSERT INTO removals VALUES (?)",
  removeRemoval: "DELETE FROM removals WHERE id = ?",
  removals: "SELECT id FROM removals",
  lastTombstone: "SELECT seq FROM changes WHERE job IS NULL ORDER BY seq DESC LIMIT 1 OFFSET ?",
  removeTombstones: "DELETE FROM changes WHERE job IS NULL AND seq <= ?",
  removeRequests: "DELETE FROM requests WHERE removed <= ?",
  get: `SELECT ${JOB} FROM jobs j ${JOINED} WHERE j.id = ?`,
  getByKey: `SELECT ${JOB} FROM jobs j ${JOINED} WHERE j.key = ?`,
  unendedNamed: `SELECT id FROM jobs INDEXED BY unended_names WHERE owner = ? AND name = ? AND ended_at IS NULL`,
  countPrefix: "SELECT count(*) AS count FROM (SELECT 1 FROM jobs WHERE id >= ? AND id < ? LIMIT ?)",
  keyBounds: "SELECT (SELECT min(key) FROM jobs) AS lowest, (SELECT max(key) FROM jobs) AS highest",
  countLabel: "SELECT count(*) AS count FROM (SELECT 1 FROM labels WHERE name = ? AND value = ? LIMIT ?)",
  request: "SELECT id, digest, removed FROM requests WHERE owner = ? AND request_id = ?",
  unfinished: `SELECT ${JOB} FROM jobs j ${JOINED} WHERE j.state <> 'INITIAL' AND c.output IS NULL ORDER BY j.key`,
  states: "SELECT state, count(*) AS jobs, sum(spec_bytes + output_bytes) AS bytes FROM jobs GROUP BY state",
  ended: `SELECT key, id, ended_at FROM jobs INDEXED BY jobs_by_end WHERE (ended_at, key) > (?, ?)
    ORDER BY ended_at, key LIMIT ?`,
  now: `SELECT (SELECT coalesce(max(seq), 0) FROM changes) AS seq, (SELECT coalesce(max(key), 0) FROM jobs) AS key`,
  changesAfter:
    `SELECT c.seq, c.at, c.was, c.state, c.reason, c.by, c.job, c.status, j.id, s.spec, last.output, last.process
    FROM changes c LEFT JOIN jobs j ON j.key = c.job LEFT JOIN specs s ON s.job = c.job LEFT JOIN changes last ON last.seq = j.seq
    WHERE c.seq > ? ORDER BY c.seq LIMIT ?`,
  statusAt: "SELECT status FROM changes WHERE job = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
} as const;
