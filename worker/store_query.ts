/** Filters as SQL: pages of jobs from a store, in any order, without reading what is not asked for. */
import type { JobFilter } from "./job_filter.ts";

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

type Value = string | number;

/** Jobs are numbered by registration, so that order needs no index of its own. */
const SORTED_BY: Readonly<Record<JobOrder, { readonly column: string; readonly table: string } | undefined>> = {
  registeredAt: undefined,
  startedAt: { column: "j.started_at", table: "jobs j INDEXED BY jobs_by_start" },
  endedAt: { column: "j.ended_at", table: "jobs j INDEXED BY jobs_by_end" },
};

const COLUMNS = "j.key, j.seq, s.spec, t.status, t.process, t.output";
/** CROSS JOIN keeps the order of the tables: SQLite would at times rather sort. Source: sqlite.org/optoverview.html */
const JOINED = "CROSS JOIN specs s ON s.job = j.key CROSS JOIN statuses t ON t.job = j.key";

const STATE_AS_OF = "CASE WHEN j.seq <= ? THEN j.state ELSE " +
  "(SELECT c.state FROM changes c WHERE c.job = j.key AND c.seq <= ? ORDER BY c.seq DESC LIMIT 1) END";

/** Makes a query; its last parameter is the limit. */
export function jobQuery(query: JobQuery): { readonly sql: string; readonly values: readonly Value[] } {
  const where: string[] = [];
  const values: Value[] = [];
  const add = (condition: string, ...given: readonly Value[]) => {
    where.push(condition);
    values.push(...given);
  };
  const sorted = SORTED_BY[query.orderBy];
  const labels = Object.entries(query.labels ?? {});
  let from = sorted?.table ?? "jobs j";
  if (sorted === undefined && labels[0] !== undefined) {
    // In the order of registration too: a rare label is found without reading all jobs.
    from = "labels l CROSS JOIN jobs j ON j.key = l.job";
    add("l.name = ? AND l.value = ?", ...labels.shift()!);
  }
  for (const label of labels) {
    add("EXISTS (SELECT 1 FROM labels WHERE job = j.key AND name = ? AND value = ?)", ...label);
  }
  if (query.ids?.length) add(`j.id IN (${query.ids.map(() => "?")})`, ...query.ids);
  const { asOf, states } = query;
  if (states?.length) {
    const list = states.map(() => "?");
    if (asOf === undefined) add(`j.state IN (${list})`, ...states);
    else add(`${STATE_AS_OF} IN (${list})`, asOf.seq, asOf.seq, ...states);
  }
  if (asOf !== undefined) add("j.key <= ?", asOf.key);
  if (query.owner !== undefined) add("j.owner = ?", query.owner);
  if (query.command) add("instr(j.line, ?)", query.command);
  for (
    const [condition, time] of [
      ["j.registered_at >= ?", query.registeredSince],
      ["j.registered_at <= ?", query.registeredUntil],
      ["j.ended_at >= ?", query.endedSince],
      ["j.ended_at <= ?", query.endedUntil],
    ] as const
  ) if (time !== undefined) add(condition, time.getTime());
  const way = query.descending ? "DESC" : "ASC";
  const behind = query.descending ? "<" : ">";
  if (sorted === undefined) {
    if (query.after !== undefined) add(`j.key ${behind} ?`, query.after.key);
  } else {
    add(`${sorted.column} IS NOT NULL`);
    if (query.after !== undefined) add(`(${sorted.column}, j.key) ${behind} (?, ?)`, query.after.at, query.after.key);
  }
  const order = sorted === undefined ? "" : `${sorted.column} ${way}, `;
  const key = from.startsWith("labels") ? "l.job" : "j.key";
  return {
    sql: `SELECT ${COLUMNS}, ${sorted?.column ?? "NULL"} AS sorted_at FROM ${from} ${JOINED} ${
      where.length > 0 ? `WHERE ${where.join(" AND ")}` : ""
    }
      ORDER BY ${order}${key} ${way} LIMIT ?`,
    values,
  };
}
