/** The jobs that List and WatchJobs select. */
import { defined } from "../../base/defined.ts";
import type { JobFilter, JobOrder, ListOptions, State } from "../../mod.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { knownValue } from "./known_value.ts";
import { checkAge, dateOf, momentOf } from "./timestamps.ts";

/** Returns the states that a request names. Unspecified ones are left out. */
export function statesOf(states: readonly wire.State[]): State[] {
  return states.map((state) => knownValue("state", state)).filter((state) => state !== "STATE_UNSPECIFIED")
    .map((state) => state.slice("STATE_".length) as State);
}

/** Returns the filter of a request, from the fields that List and WatchJobs have in common. */
export function filterOf(request: wire.ListRequest | wire.WatchJobsRequest): JobFilter {
  const { registered_since_age_ms, registered_until_age_ms } = request;
  const registeredSince = momentOf("registered_since", registered_since_age_ms, request.registered_since);
  const registeredUntil = momentOf("registered_until", registered_until_age_ms, request.registered_until);
  return {
    states: statesOf(request.states),
    labels: request.labels,
    ...(request.command === "" ? {} : { command: request.command }),
    ...defined({ registeredSince, registeredUntil }),
  };
}

/** Returns the options of a list. Ages stay ages, because all pages of a list have the same options. */
export function listOptionsOf(request: wire.ListRequest): ListOptions {
  const { registeredSince, registeredUntil, ...filter } = filterOf(request);
  const bounds = {
    ...boundOf(request, "registered_since", registeredSince),
    ...boundOf(request, "registered_until", registeredUntil),
    ...boundOf(request, "ended_since", dateOf("ended_since", request.ended_since)),
    ...boundOf(request, "ended_until", dateOf("ended_until", request.ended_until)),
  };
  return {
    ...filter,
    ...bounds,
    ...(request.name === "" ? {} : { name: request.name }),
    ...(request.id_prefix === "" ? {} : { idPrefix: request.id_prefix }),
    orderBy: ORDERS[knownValue("order", request.order)],
    ascending: request.oldest_first,
    ...(request.page_token === "" ? {} : { pageToken: request.page_token }),
  };
}

const BOUNDS = {
  registered_since: "registeredSince",
  registered_until: "registeredUntil",
  ended_since: "endedSince",
  ended_until: "endedUntil",
} as const;

function boundOf(request: wire.ListRequest, field: keyof typeof BOUNDS, time: Date | undefined): Partial<ListOptions> {
  const ageMs = request[`${field}_age_ms`];
  const name = BOUNDS[field];
  if (ageMs !== undefined) return { [`${name}AgeMs`]: checkAge(`${field}_age_ms`, ageMs) };
  return time === undefined ? {} : { [name]: time };
}

const ORDERS: Readonly<Record<wire.ListOrder, JobOrder>> = {
  LIST_ORDER_UNSPECIFIED: "registeredAt",
  LIST_ORDER_REGISTERED: "registeredAt",
  LIST_ORDER_STARTED: "startedAt",
  LIST_ORDER_ENDED: "endedAt",
};
