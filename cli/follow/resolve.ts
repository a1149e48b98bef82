/** Finds the jobs that users name: by a full id, by the beginning of an id, or by a name. */
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobStatus, ListRequest } from "../../proto/teleport/v1/job_worker.ts";
import { UsageError } from "../../units/usage_error.ts";
import { formatCommand } from "../../text/escape_terminal.ts";
import { CALL_DEADLINE_MS } from "../context.ts";
import { enumName } from "../print/message_json.ts";
import { batchesOf } from "./batches.ts";
import { type Outages, retryUntilAnswered } from "./outage.ts";
import { ID_PATTERN, ID_PREFIX_PATTERN, NAME_PATTERN } from "../../base/job_options/name.ts";
import { quote } from "../../base/quote.ts";

/** The calls that are made to find a job. */
export type ResolveCalls = Pick<JobWorkerClient, "List" | "WhoAmI">;

/** No job has the id or the name, or several have it. */
export class UnresolvedJobError extends Error {
  override readonly name = "UnresolvedJobError";
}

/** The most jobs that an error lists. */
const MAX_LISTED = 10;

/** The most jobs of a page, and the most pages: a page may be empty when the caller may not see its jobs. */
const PAGE_SIZE = 100;
const MAX_PAGES = 20;

/**
 * Returns the full id of the job that a text names. The form of the text decides: a full id, else the beginning of an id,
 * else a name. The beginning of an id is a digit, and only hexadecimal digits and dashes after it. A full id is returned
 * without a call.
 *
 * A name means the newest job of the caller with it, which is the one that has not ended if there is one. If the caller
 * has none, it means the only such job of other users.
 *
 * @throws {UsageError} when the text is empty
 * @throws {UnresolvedJobError} when no job, or more than one, fits
 */
export async function resolveJob(calls: ResolveCalls, text: string): Promise<string> {
  if (text === "") throw new UsageError("Missing job: give its id, the beginning of its id, or its name");
  if (ID_PATTERN.test(text)) return text;
  if (ID_PREFIX_PATTERN.test(text)) return await resolvePrefix(calls, text);
  if (NAME_PATTERN.test(text)) return await resolveName(calls, text);
  throw unknownJob(text);
}

/**
 * Returns the full ids of the jobs that several texts name, in their order.
 *
 * @throws {UnresolvedJobError} when no job, or more than one, fits one of the texts
 */
export async function resolveJobs(calls: ResolveCalls, texts: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const batch of batchesOf(texts)) {
    ids.push(...await Promise.all(batch.map((text) => resolveJob(calls, text))));
  }
  return ids;
}

async function resolvePrefix(calls: ResolveCalls, text: string): Promise<string> {
  const prefix = text.toLowerCase();
  // A server without this filter ignores it, so the ids are compared here too.
  const { jobs } = await findJobs(calls, { id_prefix: prefix }, (job) => job.id.startsWith(prefix), MAX_LISTED + 1);
  if (jobs.length > 1) throw ambiguousJob(text, jobs, "give more of its id");
  if (jobs[0] === undefined) throw unknownJob(text);
  return jobs[0].id;
}

/** No two jobs of an owner have the same name and have not ended. So the newest of an owner is the one that runs, if any. */
async function resolveName(calls: ResolveCalls, name: string): Promise<string> {
  const hasName = (job: JobStatus) => job.name === name;
  const { jobs: newest, isAll } = await findJobs(calls, { name }, hasName, MAX_LISTED + 1);
  const [first] = newest;
  if (first === undefined) throw unknownJob(name);
  if (isAll && newest.every(({ owner }) => owner === first.owner)) return first.id;
  const { user } = await calls.WhoAmI({}, { deadlineMs: CALL_DEADLINE_MS });
  const { jobs: [own] } = await findJobs(calls, { name, owner: user }, (job) => hasName(job) && job.owner === user, 1);
  if (own !== undefined) return own.id;
  const states = ["STATE_INITIAL", "STATE_STARTING", "STATE_RUNNING", "STATE_STOPPING"] as const;
  const { jobs: unended } = await findJobs(calls, { name, states: [...states] }, hasName, MAX_LISTED + 1);
  const others = unended.length > 0 ? unended : newestOfEachOwner(newest);
  if (others.length > 1) throw ambiguousJob(name, others, "give its id");
  return others[0]?.id ?? first.id;
}

function newestOfEachOwner(newestFirst: readonly JobStatus[]): JobStatus[] {
  return newestFirst.filter(({ owner }, at) => newestFirst.findIndex((job) => job.owner === owner) === at);
}

/** Lists jobs, newest first, until there are enough. */
async function findJobs(
  calls: ResolveCalls,
  filter: Partial<Pick<ListRequest, "name" | "id_prefix" | "owner" | "states">>,
  fits: (job: JobStatus) => boolean,
  enough: number,
): Promise<{ readonly jobs: JobStatus[]; readonly isAll: boolean }> {
  const jobs: JobStatus[] = [];
  let pageToken = "";
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await calls.List(
      { ...filter, page_size: pages === 0 ? enough : PAGE_SIZE, page_token: pageToken },
      { deadlineMs: CALL_DEADLINE_MS },
    );
    jobs.push(...page.jobs.filter(fits));
    pageToken = page.next_page_token;
    if (pageToken === "" || jobs.length >= enough) break;
  }
  return { jobs: jobs.slice(0, enough), isAll: pageToken === "" && jobs.length <= enough };
}

function unknownJob(text: string): UnresolvedJobError {
  return new UnresolvedJobError(`Unknown job ${quote(text)}: list the jobs to see their ids and names`);
}

function ambiguousJob(text: string, jobs: readonly JobStatus[], advice: string): UnresolvedJobError {
  const listed = jobs.slice(0, MAX_LISTED).map(describe).join(", ");
  const more = jobs.length > MAX_LISTED ? ", and others" : "";
  return new UnresolvedJobError(`Job ${quote(text)} could be ${listed}${more}: ${advice}`);
}

/** The longest command and name in an error, in characters. */
const MAX_TEXT_CHARS = 30;

function describe({ id, name, owner, state, command, args }: JobStatus): string {
  const line = formatCommand(
    command.slice(0, MAX_TEXT_CHARS),
    args.slice(0, 3).map((arg) => arg.slice(0, MAX_TEXT_CHARS)),
  );
  const what = name === "" ? line.slice(0, MAX_TEXT_CHARS) : name;
  return `${id} (${what}, ${enumName(state)}, of ${owner})`;
}

/** Returns the calls that find jobs, repeated through outages of the server. */
export function retried(calls: ResolveCalls, outages: Outages): ResolveCalls {
  return {
    List: (...request) => retryUntilAnswered(() => calls.List(...request), outages, undefined, false),
    WhoAmI: (...request) => retryUntilAnswered(() => calls.WhoAmI(...request), outages, undefined, false),
  };
}
