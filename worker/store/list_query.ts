/** Filters as SQL: which jobs, in any order, without reading more of them than their rows in the narrow table. */
import type { JobFilter } from "../job/filter.ts";

/** By what a list is sorted. Jobs that were not started, or have not ended, are not in a list by that time. */
export type JobOrder = "registeredAt" | "startedAt" | "endedAt";

/** Where a page begins: behind this one. */
export interface PageStart {
  /** Of the last job of the page before: the time it is sorted by; of no use in the order of registration. */
  readonly at: number;
  readonly key: number;
}

/** A moment in the history of all jobs. */
export interface Moment {
  /** Of the last change before it. */
  readonly seq: number;
  /** Of the last job registered before it. */
  readonly key: number;
}

/** Which jobs a query gives, and in which order. */
export interface JobQuery extends JobFilter {
  readonly endedSince?: Date;
  readonly endedUntil?: Date;
  readonly orderBy: JobOrder;
  readonly descending: boolean;
  readonly after?: PageStart;
  /** As things stood at an earlier moment. Absent: now. */
  readonly asOf?: Moment;
}

/** A condition with the values of its parameters. */
type Condition = readonly [sql: string, ...values: (string | number)[]];

/** Jobs are numbered by registration, so that order needs no index of its own. */
const SORTED_BY: Readonly<Record<JobOrder, { readonly column: string; readonly index: string } | undefined>> = {
  registeredAt: undefined,
  startedAt: { column: "j.started_at", index: "jobs_by_start" },
  endedAt: { column: "j.ended_at", index: "jobs_by_end" },
};

const STATE_AS_OF = "CASE WHEN j.seq <= ? THEN j.state ELSE " +
  "(SELECT c.state FROM changes c WHERE c.job = j.key AND c.seq <= ? ORDER BY c.seq DESC LIMIT 1) END";

/**
 * Makes a query for the keys of jobs and the time they are sorted by; its last parameter is the limit.
 *
 * By a time with no other filter, its index is followed. Else all rows are read in the order of their keys, which is ten times
 * as fast as in the order of an index, or those of the first label, and sorted while they are read.
 *
 * @param labels those of the query, the rarest first
 */
export function keysQuery(query: JobQuery, labels: readonly (readonly [string, string])[]) {
  const sorted = SORTED_BY[query.orderBy];
  const [label, ...others] = labels;
  const place = [...rangeConditions(query, sorted?.column), ...placeConditions(query)];
  const filters = filterConditions(query, others);
  const conditions = [...place, ...filters];
  let from = "jobs j";
  let key = "j.key";
  if (label !== undefined) {
    from = "labels l CROSS JOIN jobs j ON j.key = l.job";
    key = "l.job";
    conditions.unshift(["l.name = ? AND l.value = ?", ...label]);
  } else if (sorted !== undefined) from += filters.length === 0 ? ` INDEXED BY ${sorted.index}` : " NOT INDEXED";
  const where = conditions.length > 0 ? `WHERE ${conditions.map(([sql]) => sql).join(" AND ")}` : "";
  const way = query.descending ? "DESC" : "ASC";
  const order = `${sorted === undefined ? "" : `${sorted.column} ${way}, `}${key} ${way}`;
  return {
    sql: `SELECT j.key, ${sorted?.column ?? "NULL"} AS sorted_at FROM ${from} ${where} ORDER BY ${order} LIMIT ?`,
    values: conditions.flatMap(([, ...values]) => values),
  };
}

function filterConditions(query: JobQuery, labels: readonly (readonly [string, string])[]): Condition[] {
  const { ids, states, owner, command, asOf } = query;
  const conditions = rangeConditions(query, SORTED_BY[query.orderBy]?.column, true);
  if (ids?.length) conditions.push([`j.key IN (SELECT key FROM jobs WHERE id IN (${marks(ids)}))`, ...ids]);
  if (asOf !== undefined) conditions.push(["j.key <= ?", asOf.key]);
  if (states?.length) {
    if (asOf === undefined) conditions.push([`j.state IN (${marks(states)})`, ...states]);
    else conditions.push([`${STATE_AS_OF} IN (${marks(states)})`, asOf.seq, asOf.seq, ...states]);
  }
  if (owner !== undefined) conditions.push(["j.owner = ?", owner]);
  if (command) conditions.push(["instr(j.line, ?)", command]);
  for (const label of labels) {
    conditions.push(["EXISTS (SELECT 1 FROM labels WHERE name = ? AND value = ? AND job = j.key)", ...label]);
  }
  return conditions;
}

const TIMES = [
  ["j.registered_at", ">=", "registeredSince"],
  ["j.registered_at", "<=", "registeredUntil"],
  ["j.ended_at", ">=", "endedSince"],
  ["j.ended_at", "<=", "endedUntil"],
] as const;

/** Bounds of the times in one column, by which jobs may be sorted; or of those in all others. */
function rangeConditions(query: JobQuery, column: string | undefined, others = false): Condition[] {
  return TIMES.flatMap(([name, comparison, field]) => {
    const time = query[field];
    return time === undefined || (name === column) === others ? [] : [[`${name} ${comparison} ?`, time.getTime()]];
  });
}

/** Behind the page before, and with a time to sort by. */
function placeConditions({ orderBy, descending, after }: JobQuery): Condition[] {
  const sorted = SORTED_BY[orderBy];
  const behind = descending ? "<" : ">";
  if (sorted === undefined) return after === undefined ? [] : [[`j.key ${behind} ?`, after.key]];
  const place: Condition[] = [[`${sorted.column} IS NOT NULL`]];
  if (after !== undefined) place.push([`(${sorted.column}, j.key) ${behind} (?, ?)`, after.at, after.key]);
  return place;
}

function marks(values: readonly unknown[]): string {
  return values.map(() => "?").join();
}
