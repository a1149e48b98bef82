/** Lists jobs page by page, filtered and sorted, from the store. */
import { quote } from "../../base/quote.ts";
import { InvalidArgumentError } from "../errors.ts";
import { digestOf } from "../job/digest.ts";
import { checkFilter, checkTimes, type JobFilter, matchesState } from "../job/filter.ts";
import type { JobStatus } from "../job/spec.ts";
import type { Store } from "../store/store.ts";
import type { JobOrder } from "../store/list_query.ts";
import type { StoredJob } from "../store/rows.ts";
import type { PageTokenCodec } from "./page_token.ts";
import { defined } from "../../base/defined.ts";

/** The largest page. A page is one message: 1,000 statuses of usual size are far below its limit of 4 MiB. */
const MAX_PAGE_SIZE = 1_000;
const DEFAULT_PAGE_SIZE = 100;

const ID_PREFIX = /^[0-9a-f-]{1,36}$/i;

/** The jobs to list, and their order. */
export interface ListOptions extends JobFilter {
  /** Selects jobs with exactly this name. */
  readonly name?: string;
  /** Selects jobs whose id begins with this text of hexadecimal digits and dashes. */
  readonly idPrefix?: string;
  /** Selects jobs that ended at this time or later. */
  readonly endedSince?: Date;
  /** Selects jobs that ended at this time or earlier. */
  readonly endedUntil?: Date;
  /** In place of `registeredSince`: milliseconds before the call. All pages of one list may give the same age. */
  readonly registeredSinceAgeMs?: number;
  /** In place of `registeredUntil`: milliseconds before the call. */
  readonly registeredUntilAgeMs?: number;
  /** In place of `endedSince`: milliseconds before the call. */
  readonly endedSinceAgeMs?: number;
  /** In place of `endedUntil`: milliseconds before the call. */
  readonly endedUntilAgeMs?: number;
  /** The time that sorts the list; the time of registration unless given. Jobs without this time are left out. */
  readonly orderBy?: JobOrder;
  /** True: oldest first. Newest first unless given. */
  readonly ascending?: boolean;
  /** The most jobs in a page, from 1 to 1,000; 100 unless given. A page with very long command lines has fewer. */
  readonly pageSize?: number;
  /** The token of the previous page. All options but `pageSize` must be the same as for that page. */
  readonly pageToken?: string;
}

/** A page of jobs. */
export interface JobPage {
  readonly jobs: readonly JobStatus[];
  /** The `pageToken` for the next page. Absent on the last page. */
  readonly nextPageToken?: string;
}

/** The sources of what is newer than the store. */
export interface ListSources {
  /** Gets the present facts of jobs from their job hosts. Absent: this process has them. */
  readonly refresh?: (jobs: readonly StoredJob[]) => Promise<void>;
  /** Returns the status of a job now, which is newer than the store's while the disk is full. */
  readonly statusOf: (job: StoredJob) => JobStatus;
}

/**
 * Reads a page.
 *
 * @throws {InvalidArgumentError} when the filter, the page size or the page token is invalid
 */
export async function listPage(
  store: Store,
  tokens: PageTokenCodec,
  options: ListOptions,
  { refresh, statusOf }: ListSources,
): Promise<JobPage> {
  const times = timesOf(options, Date.now());
  checkFilter({ ...options, ...times });
  checkIdPrefix(options.idPrefix);
  checkTimes([options.endedSince, options.endedUntil, times.endedSince, times.endedUntil]);
  const size = options.pageSize ?? DEFAULT_PAGE_SIZE;
  if (!Number.isSafeInteger(size) || size < 1 || size > MAX_PAGE_SIZE) {
    throw new InvalidArgumentError(`'pageSize' must be an integer from 1 to ${MAX_PAGE_SIZE}, got ${size}`);
  }
  const orderBy = options.orderBy ?? "registeredAt";
  const purpose = purposeOf(options);
  const start = options.pageToken === undefined ? undefined : openToken(tokens, options.pageToken, purpose);
  const { jobs, more } = await store.selection.selectInTurns({
    ...options,
    ...times,
    ...defined({ idPrefix: options.idPrefix?.toLowerCase() }),
    orderBy,
    descending: options.ascending !== true,
    ...defined({ after: start }),
  }, size);
  await refresh?.(jobs);
  const last = more ? jobs.at(-1) : undefined;
  const nextPageToken = last && tokens.seal([last.sortedAt ?? 0, last.key], purpose);
  return {
    // A live job that is newer than its row may not have the requested state any more.
    jobs: jobs.map(statusOf).filter(({ state }) => matchesState(options, state)),
    ...defined({ nextPageToken }),
  };
}

/** @throws {InvalidArgumentError} when no id can begin with the text */
function checkIdPrefix(prefix: string | undefined): void {
  if (prefix === undefined || ID_PREFIX.test(prefix)) return;
  throw new InvalidArgumentError(`'idPrefix' must have 1 to 36 hexadecimal digits and dashes, got ${quote(prefix)}`);
}

function openToken(tokens: PageTokenCodec, token: string, purpose: string): { at: number; key: number } {
  const [at, key] = tokens.open(token, purpose) ?? [];
  if (at === undefined || key === undefined) {
    throw new InvalidArgumentError(
      `Invalid page token ${quote(token)}: ` +
        "give the token of the previous page with the same filter and order",
    );
  }
  return { at, key };
}

/** Returns the times that the ages of the options mean. */
function timesOf(options: ListOptions, nowMs: number): Pick<ListOptions, keyof typeof AGES> {
  const times = Object.entries(AGES).flatMap(([time, age]) => {
    const ageMs = options[age];
    return ageMs === undefined ? [] : [[time, new Date(nowMs - ageMs)]];
  });
  return Object.fromEntries(times);
}

const AGES = {
  registeredSince: "registeredSinceAgeMs",
  registeredUntil: "registeredUntilAgeMs",
  endedSince: "endedSinceAgeMs",
  endedUntil: "endedUntilAgeMs",
} as const;

/** Returns the purpose of the list's tokens. It includes the filter and the order, so a token fits only its list. */
function purposeOf({ pageSize: _size, pageToken: _token, ...list }: ListOptions): string {
  return `list ${digestOf(list)}`;
}
