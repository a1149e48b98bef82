/** Makes the parts of a registry and connects them: store, pending writes, retention, output, job objects, job hosts. */
import { join } from "node:path";
import { JobNotFoundError } from "../errors.ts";
import type { HostedJob } from "../host/hosted_job.ts";
import type { OrphanedJob, RecoveredJob } from "../host/link.ts";
import { LocalRecovery } from "../host/local_recovery.ts";
import { bootId as readBootId } from "../linux/boot_id.ts";
import { OutputBudget } from "../output/limit.ts";
import { isFinalState, type State } from "../process/state.ts";
import { Store } from "../store/store.ts";
import { callback } from "./callback.ts";
import { diskLimit } from "./disk_limit.ts";
import { HostAttention } from "./host_attention.ts";
import { HostedJobs } from "./hosted_jobs.ts";
import { JobEvents } from "./job_events.ts";
import { JobFactory } from "./job_factory.ts";
import { JobRemoval } from "./job_removal.ts";
import { LiveJobs } from "./live_jobs.ts";
import { checkDatabaseThere } from "./lost_database.ts";
import type { SupervisorOptions } from "./options.ts";
import { OutputStore } from "./output_store.ts";
import { PageTokenCodec } from "./page_token.ts";
import { PlacedJobs } from "./placed_jobs.ts";
import { PlacedQuota } from "./placed_quota.ts";
import { PendingWrites } from "./pending_writes.ts";
import { Retention } from "./retention.ts";
import { JobCounters } from "./statistics.ts";
import { defined } from "../../base/defined.ts";

/** The parts of a registry. */
export interface RegistryParts {
  /** The id of the current boot. */
  readonly bootId: string;
  readonly store: Store;
  readonly pageTokens: PageTokenCodec;
  readonly liveJobs: LiveJobs;
  readonly events: JobEvents;
  readonly counters: JobCounters;
  readonly budget: OutputBudget;
  readonly pendingWrites: PendingWrites;
  readonly retention: Retention;
  readonly output: OutputStore;
  readonly factory: JobFactory;
  readonly removal: JobRemoval;
  /** Absent when the supervisor itself runs the jobs. */
  readonly hosted: HostedJobs | undefined;
  /** Absent when the supervisor itself runs the jobs. */
  readonly attention: HostAttention | undefined;
  /** The jobs that an engine places. Undefined without an engine. */
  readonly placed: PlacedJobs | undefined;
  /** Recovers a job of a dead job host in this process. */
  readonly recoverHere: (job: OrphanedJob) => Promise<RecoveredJob>;
  readonly onError: (error: unknown) => void;
}

/**
 * Makes the parts.
 *
 * @throws {DirectoryInUseError} when another process uses the directory
 * @throws {StoreUnusableError} when the database in the directory cannot be used
 */
export function makeRegistryParts(options: SupervisorOptions): RegistryParts {
  const { directory, cgroups, hosts, placing } = options;
  if (directory !== undefined) checkDatabaseThere(directory);
  const bootId = readBootId();
  const onError = callback(options.onError);
  const onWarning = callback(options.onWarning);
  const onAvailability = callback(options.onAvailability);
  const store = new Store(directory === undefined ? ":memory:" : join(directory, "jobs.db"), {
    bootId,
    onWarning,
    isClockTrusted: () => retention.isClockTrusted,
    onWrite: callback(options.onStoreWrite),
  });
  const liveJobs = new LiveJobs();
  const counters = new JobCounters();
  const output = new OutputStore({
    ...defined({ directory }),
    onDeleted: (id) => store.endRemoval(id),
    ...(hosts === undefined ? {} : { deleteByHost: (id) => hosted?.deleteOutput(id) ?? Promise.resolve() }),
    onError,
  });
  let hasOutage = false;
  const pageTokens = new PageTokenCodec(store.secret);
  const events = new JobEvents(store, liveJobs, pageTokens, () => hasOutage);
  const retention: Retention = new Retention({
    maxAgeMs: options.maxAgeMs ?? Infinity,
    ended: (after, limit) => store.endedJobs(after, limit),
    isWatched: (id) => (liveJobs.get(id)?.watchers ?? 0) > 0 || events.isWatched(id),
    remove: (id) => removal.removeInBackground(id),
    ...defined({ lastSeenMs: store.lastSeenMs }),
    onHold: onWarning,
  });
  const { bytesAtOpen } = store;
  const budget = new OutputBudget(
    diskLimit(options, bytesAtOpen),
    (bytes) => retention.freeBytes(bytes),
    (usedBytes) => diskLimit(options, usedBytes),
  );
  budget.addExisting(bytesAtOpen);
  const pendingWrites = new PendingWrites({
    store,
    liveJobs,
    bootId,
    ...defined({ cgroups }),
    onWritten: (id, status, details) => {
      counters.count(status, details);
      events.wake();
      hosted?.settled(id, status, details);
      placed?.settled(id, status);
      if (isFinalState(status.state)) retention.removeExpired();
    },
    onDropped: (id, status, details) => {
      hosted?.settled(id, status, details);
      placed?.settled(id, status);
    },
    onError,
  });
  const factory: JobFactory = new JobFactory({
    supervisor: options,
    budget,
    bootId,
    logOptions: (spec) => output.logOptions(spec),
    pendingWrites,
    ...(hosts === undefined ? {} : { newHost: () => (hosted as HostedJobs).newHost() }),
    placed: (spec) => placed?.partsOf(spec),
    recordProcess: (id, process) => store.history.setProcess(id, process),
    onError,
  });
  const placed = placing && new PlacedJobs({
    placing,
    store,
    liveJobs,
    quota: new PlacedQuota({
      budget,
      runningBytes: async () => {
        await hosted?.refresh(liveJobs.running().filter((job) => job.placement === undefined));
        return hosted?.runningBytes ?? 0;
      },
      makeRoom: (bytes) => retention.freeBytes(bytes),
      onChange: () => hosted?.diskChanged(),
    }),
    directoryOf: (spec) => output.logOptions(spec).directory,
    makeJob: (job) => factory.makeHosted(job) as HostedJob,
    onWarning,
    onError,
  });
  const removal = new JobRemoval({
    store,
    liveJobs,
    pendingWrites,
    output,
    budget,
    stateOf,
    onRemoved: () => {
      events.wake();
      hosted?.diskChanged();
    },
    onError,
  });
  const local = new LocalRecovery({ hostsDirectory: join(directory ?? "", "hosts"), bootId, onError });
  const recoverHere = (job: OrphanedJob) => local.recover(job, output.logOptions(job.spec));
  const hosted: HostedJobs | undefined = hosts && new HostedJobs({
    hosts,
    store,
    liveJobs,
    bootId,
    budget,
    ...(hosts.haveOwnUser === true && { recoverHere }),
    makeJob: (job) => factory.makeHosted(job) as HostedJob,
    makeRoom: (bytes) => retention.freeBytes(bytes),
    onAvailability(isAvailable) {
      hasOutage = !isAvailable;
      onAvailability(isAvailable);
    },
    onSilence() {
      for (const job of liveJobs.pinned()) job.wakeWatchers();
      events.wake();
    },
    onWarning,
    onError,
  });
  const attention = hosted && new HostAttention({
    isNeeded: () => events.readers > 0 || liveJobs.running().some((job) => job.watchers > 0),
    ask: () => hosted.askAll(),
  });

  function stateOf(id: string): State {
    const job = liveJobs.get(id)?.status ?? store.get(id)?.status;
    if (job === undefined) throw new JobNotFoundError(id);
    return job.state;
  }

  return {
    bootId,
    store,
    pageTokens,
    liveJobs,
    events,
    counters,
    budget,
    pendingWrites,
    retention,
    output,
    factory,
    removal,
    hosted,
    attention,
    recoverHere,
    placed,
    onError,
  };
}
