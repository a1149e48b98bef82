/** Lists jobs page by page, filtered and sorted, from the store. */
import { InvalidArgumentError } from "../errors.ts";
import { digestOf } from "../job/digest.ts";
import { checkFilter, checkTimes, type JobFilter, matchesState } from "../job/filter.ts";
import type { JobStatus } from "../job/spec.ts";
import type { Store } from "../store/store.ts";
import type { JobOrder } from "../store/list_query.ts";
import type { StoredJob } from "../store/rows.ts";
import type { PageTokenCodec } from "./page_token.ts";

/** A page is one message: a thousand statuses of usual size fit well under the 4 MiB that a message may take. */
const MAX_PAGE_SIZE = 1_000;
const DEFAULT_PAGE_SIZE = 100;

/** Which jobs to list, and how. */
export interface ListOptions extends JobFilter {
  /** Ended at this time or later. */
  readonly endedSince?: Date;
  /** Ended at this time or before. */
  readonly endedUntil?: Date;
  /** In place of the moments: so many milliseconds before the call. Pages of one list may give the same ages. */
  readonly registeredSinceAgeMs?: number;
  readonly registeredUntilAgeMs?: number;
  readonly endedSinceAgeMs?: number;
  readonly endedUntilAgeMs?: number;
  /** By what they are sorted; by the time of registration unless given. Jobs without that time are left out. */
  readonly orderBy?: JobOrder;
  /** Oldest first; newest first unless given. */
  readonly ascending?: boolean;
  /** At most 1,000; 100 unless given. A page with very long command lines ends early. */
  readonly pageSize?: number;
  /** From the page before, which must have been asked for with the same options but for the size. */
  readonly pageToken?: string;
}

/** A page of jobs. */
export interface JobPage {
  readonly jobs: readonly JobStatus[];
  /** Absent on the last page. */
  readonly nextPageToken?: string;
}

/**
 * Reads a page.
 *
 * @param statusOf the status of a job now, which may be ahead of the store where the disk was full
 * @throws {InvalidArgumentError} for a filter, size or token that cannot be
 */
export async function listPage(
  store: Store,
  sealer: PageTokenCodec,
  options: ListOptions,
  statusOf: (job: StoredJob) => JobStatus,
): Promise<JobPage> {
  const moments = momentsOf(options, Date.now());
  checkFilter({ ...options, ...moments });
  checkTimes([options.endedSince, options.endedUntil, moments.endedSince, moments.endedUntil]);
  const size = options.pageSize ?? DEFAULT_PAGE_SIZE;
  if (!Number.isSafeInteger(size) || size < 1 || size > MAX_PAGE_SIZE) {
    throw new InvalidArgumentError(`Invalid page size "${size}": give a number from 1 to ${MAX_PAGE_SIZE}`);
  }
  const orderBy = options.orderBy ?? "registeredAt";
  const purpose = purposeOf(options);
  const start = options.pageToken === undefined ? undefined : sealer.open(options.pageToken, purpose);
  if (options.pageToken !== undefined && start === undefined) {
    throw new InvalidArgumentError(
      `Invalid page token ${JSON.stringify(options.pageToken.slice(0, 100))}: give the one that came with the page ` +
        "before, and ask for the same jobs in the same order",
    );
  }
  const [at = 0, key = 0] = start ?? [];
  const { jobs, more } = await store.selectInTurns({
    ...options,
    ...moments,
    orderBy,
    descending: options.ascending !== true,
    ...(start === undefined ? {} : { after: { at, key } }),
  }, size);
  const last = more ? jobs.at(-1) : undefined;
  return {
    // Where the store lags behind, a job may have left the states that were asked for.
    jobs: jobs.map(statusOf).filter(({ state }) => matchesState(options, state)),
    ...(last === undefined ? {} : { nextPageToken: sealer.seal([last.sortedAt ?? 0, last.key], purpose) }),
  };
}

/** The moments that the ages mean. */
function momentsOf(options: ListOptions, nowMs: number): Pick<ListOptions, keyof typeof AGES> {
  const moments = Object.entries(AGES).flatMap(([moment, age]) => {
    const ageMs = options[age];
    return ageMs === undefined ? [] : [[moment, new Date(nowMs - ageMs)]];
  });
  return Object.fromEntries(moments);
}

const AGES = {
  registeredSince: "registeredSinceAgeMs",
  registeredUntil: "registeredUntilAgeMs",
  endedSince: "endedSinceAgeMs",
  endedUntil: "endedUntilAgeMs",
} as const;

/** A token is for the same list only: filter and order are part of what it is sealed for. */
function purposeOf({ pageSize: _size, pageToken: _token, ...asked }: ListOptions): string {
  return `list ${digestOf(asked)}`;
}
