/**
 * The jobs that an engine places, for a supervisor. It has them submitted and follows their hosts. It decides how a job has
 * ended whose host does not report.
 */
import { defined } from "../../base/defined.ts";
import { errorMessage } from "../../base/error_message.ts";
import { EngineRefusedError, type EngineWord } from "../engine/engine.ts";
import { goesToEngine, hostSpec } from "../engine/needs.ts";
import { hostReportText } from "../engine/host_report.ts";
import { NodeDoor } from "../engine/node_door.ts";
import { PlacedCalls } from "../engine/placed_calls.ts";
import { lostEnd } from "../engine/placed_ends.ts";
import { PlacedHost } from "../engine/placed_host.ts";
import { PlacedHosts } from "../engine/placed_hosts.ts";
import type { Placing } from "../engine/placing.ts";
import { verdict } from "../engine/verdict.ts";
import { WordsWatch } from "../engine/words_watch.ts";
import { HostUnavailableError, SupervisorClosedError } from "../errors.ts";
import { HostedJob } from "../host/hosted_job.ts";
import type { HostedJobParts } from "../host/hosted_job_parts.ts";
import type { JobSpec } from "../job/spec.ts";
import { LogReplica } from "../output/log_replica.ts";
import type { StopOptions } from "../process/options.ts";
import { isFinalState, type ProcessStatus } from "../process/state.ts";
import type { StoredJob } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import type { LiveJobs } from "./live_jobs.ts";
import type { PlacedQuota } from "./placed_quota.ts";

/** The default of `settleMs`. It is longer than a host waits between two dials. */
const SETTLE_MS = 30_000;
/** The time between two messages to a quiet host, in milliseconds. */
const HEARTBEAT_MS = 20_000;

/** The parts of a supervisor that placed jobs use. */
export interface PlacedJobsOptions {
  readonly placing: Placing;
  readonly store: Store;
  readonly liveJobs: LiveJobs;
  /** The disk space for the output of these jobs. */
  readonly quota: PlacedQuota;
  /** Returns the directory of a job's output. */
  readonly directoryOf: (spec: JobSpec) => string;
  /** Makes the object of a job that is not in `liveJobs`. */
  readonly makeJob: (job: StoredJob) => HostedJob;
  readonly onWarning: (message: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Returns true for a stored job that an engine has placed and that has not ended. */
export function isPlaced({ process, status }: StoredJob): boolean {
  return process?.placement !== undefined && !isFinalState(status.state);
}

/** The jobs of an engine. */
export class PlacedJobs {
  readonly #options: PlacedJobsOptions;
  readonly #hosts = new PlacedHosts();
  readonly #watch: WordsWatch;
  readonly #door: NodeDoor;
  readonly #calls: PlacedCalls;
  readonly #closing = new AbortController();
  readonly #settleMs: number;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  /** True while the engine does not answer, which was reported. */
  #isSilent = false;

  constructor(options: PlacedJobsOptions) {
    this.#options = options;
    const { placing, onWarning, onError } = options;
    this.#settleMs = placing.settleMs ?? SETTLE_MS;
    this.#watch = new WordsWatch(placing.engine, {
      wanted: () => this.#hosts.hasSilent,
      begun: () => this.#hosts.begun,
      dueMs: () => this.#hosts.decideInMs(this.#settleMs),
      heard: (words) => this.#heard(words),
      ...defined({ firstWaitMs: placing.firstWaitMs }),
      failed: (error) => {
        if (!this.#isSilent) onWarning(errorMessage(error));
        this.#isSilent = true;
      },
    });
    this.#calls = new PlacedCalls({
      placing,
      settleMs: this.#settleMs,
      onAsked: () => this.#watch.nudge(),
      onRefused: (host) => this.#hosts.remove(host),
      onWarning,
      signal: this.#closing.signal,
    });
    this.#door = new NodeDoor({
      find: (id) => {
        const host = this.#hosts.named(id);
        const job = host && this.#jobOf(host);
        return host && job && { host, job };
      },
      replicaOf: (host, job) => this.#replicaOf(host, job),
      onLost: () => this.#watch.nudge(),
      onRefused: (host, job, { message }) => {
        const error = `Node "${host.node}" cannot run the job: ${message}`;
        this.#calls.fail(host, job, { reason: "START_FAILED", error });
      },
      onWarning,
      onError,
    });
  }

  /** Returns the parts of a job that the engine places. Undefined for other jobs. */
  partsOf(spec: JobSpec): Pick<HostedJobParts, "newHost" | "hostSpec"> | undefined {
    if (!goesToEngine(spec, this.#options.placing)) return undefined;
    return { newHost: () => this.#newHost(spec), hostSpec: () => hostSpec(spec) };
  }

  #newHost(spec: JobSpec): PlacedHost {
    if (this.#closing.signal.aborted) throw new SupervisorClosedError();
    const id = crypto.getRandomValues(new Uint8Array(16)).toHex();
    const { engine: { name: engine } } = this.#options.placing;
    return this.#hosts.add(new PlacedHost(id, spec.id, { engine }, this.#callsOf(id)));
  }

  /** The calls to a host that is not there. */
  #callsOf(id: string) {
    const need = () => {
      const host = this.#hosts.named(id);
      const job = host && this.#jobOf(host);
      if (host === undefined || job === undefined) throw new HostUnavailableError("its job is over");
      return [host, job] as const;
    };
    return {
      start: () => Promise.try(() => this.#calls.submit(...need())),
      stop: (options: StopOptions) => Promise.try(() => this.#calls.stop(...need(), options)),
    };
  }

  /** Continues with the jobs of an earlier supervisor, and begins to accept hosts. */
  async recover(): Promise<void> {
    const { placing, store, liveJobs, makeJob, onError } = this.#options;
    for (const stored of store.unfinishedJobs().filter(isPlaced)) {
      const { host: id, placement } = stored.process ?? {};
      if (id === undefined || placement === undefined) continue;
      const job = makeJob(stored);
      liveJobs.add(job);
      liveJobs.pin(job.id);
      const host = this.#hosts.add(new PlacedHost(id, job.id, placement, this.#callsOf(id)));
      job.hostStart.adopt(host, stored.process);
      // Output that has arrived can be read before the host dials.
      const range = await (await this.#replicaOf(host, job)).readable(job.id).catch(onError);
      if (!range) continue;
      host.range = range;
      job.takeGrowth(range);
    }
    await placing.gate.open((dialIn) => void this.#door.receive(dialIn).catch(onError));
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    Deno.unrefTimer(this.#heartbeat);
    this.#watch.nudge();
  }

  /** Returns the copy of a job's log. It has one writer at a time, which the caller ensures. */
  async #replicaOf(host: PlacedHost, { spec }: HostedJob): Promise<LogReplica> {
    const { quota: budget, directoryOf } = this.#options;
    return host.replica ??= await LogReplica.open({ directory: directoryOf(spec), budget });
  }

  /** Notes that the end of a job is stored, or can never be. */
  settled(job: string, { state }: ProcessStatus): void {
    const host = this.#hosts.ofJob(job);
    if (host === undefined || !(isFinalState(state) || state === "INITIAL")) return;
    this.#hosts.remove(host);
    if (this.#hosts.isEmpty) this.#options.quota.rest();
    if (host.open === undefined) return this.#calls.cancel(host);
    host.open.forget(job);
    host.open.retire(true);
  }

  /** Returns the job of a host. Undefined when it has ended, or has another host by now. */
  #jobOf(host: PlacedHost): HostedJob | undefined {
    const job = this.#options.liveJobs.get(host.job);
    return job instanceof HostedJob && job.host === host && !job.isFinalState ? job : undefined;
  }

  #heard(words: readonly EngineWord[]): void {
    this.#isSilent = false;
    const byId = Map.groupBy(words, ({ id }) => id);
    let isNews = false;
    for (const host of this.#hosts.all) {
      isNews = host.heard(byId.get(host.instance) ?? []) || isNews;
      const job = this.#jobOf(host);
      if (job === undefined || host.isOver) continue;
      this.#calls.recordHandle(host, job);
      this.#judge(host, job);
    }
    if (isNews) this.#watch.nudge();
  }

  #judge(host: PlacedHost, job: HostedJob): void {
    const { placing: { engine }, directoryOf, onError } = this.#options;
    const found = verdict(host.sight, this.#settleMs);
    if (found.is === "SUBMIT") {
      if (host.submitting !== undefined) return; // Its caller gets the answer, such as a start.
      void this.#calls.submit(host, job).catch((error) => {
        if (error instanceof EngineRefusedError) {
          this.#calls.fail(host, job, { reason: "START_FAILED", error: error.message });
        } else if (!(error instanceof HostUnavailableError)) onError(error);
      });
    } else if (found.is === "FAILED") {
      host.isOver = true;
      void this.#reportOf(host).then((report) => {
        const error = `The job could not start: ${engine.name} says ${found.text}${report}`;
        this.#calls.fail(host, job, { reason: "START_FAILED", error });
      }).catch(onError);
    } else if (found.is === "LOST") {
      host.isOver = true;
      const output = { directory: directoryOf(job.spec), onError };
      void host.handled
        .then(() => this.#reportOf(host))
        .then((report) => lostEnd(job.id, job.processStatus, `${engine.name} says ${found.text}${report}`, output))
        .then((end) => job.apply(end))
        .catch(onError);
    }
  }

  async #reportOf(host: PlacedHost): Promise<string> {
    return hostReportText(host.words, host.node, await this.#options.placing.gate.report(host.instance));
  }

  /** Sends a message to each host. The host then knows that the gateway lives, and acknowledges it. */
  #beat(): void {
    for (const { open } of this.#hosts.all) void open?.work().catch(() => {}); // A lost link is noticed elsewhere.
  }

  /** Ends the links. The hosts and their jobs continue. */
  async close(): Promise<void> {
    this.#closing.abort(new SupervisorClosedError());
    clearInterval(this.#heartbeat);
    this.#watch.close();
    this.#door.close();
    await this.#options.placing.gate.close();
    await Promise.all(this.#hosts.all.map(async (host) => {
      await host.open?.close();
      await host.handled;
    }));
  }
}
