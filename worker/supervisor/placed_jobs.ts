/**
 * The jobs that an engine places, for a supervisor: has them submitted, accepts their hosts, follows their changes, and
 * decides what became of those whose host does not report.
 */
import { createHash } from "node:crypto";
import { defined } from "../../base/defined.ts";
import { Backoff, sleep } from "../../base/backoff.ts";
import { EngineRefusedError, type EngineWord } from "../engine/engine.ts";
import { goesToEngine, hostSpec, needsOf } from "../engine/needs.ts";
import { PlacedHost } from "../engine/placed_host.ts";
import type { DialIn, Placing } from "../engine/placing.ts";
import { verdict } from "../engine/verdict.ts";
import { WordsWatch } from "../engine/words_watch.ts";
import { HostUnavailableError, SupervisorClosedError } from "../errors.ts";
import { HostedJob } from "../host/hosted_job.ts";
import type { HostedJobParts } from "../host/hosted_job_parts.ts";
import { acceptDial, receiveDial, refuseDial } from "../host/node/accept_dial.ts";
import type { Dial, DialRefusal } from "../host/node/node_messages.ts";
import { NodeLink } from "../host/node/node_link.ts";
import { MessageConnection } from "../host/socket/message_connection.ts";
import type { HostEvents } from "../host/link.ts";
import type { JobSpec } from "../job/spec.ts";
import { LOG_START } from "../output/cursor.ts";
import { LogReplica } from "../output/log_replica.ts";
import { recoverLog } from "../output/restore.ts";
import type { StopOptions } from "../process/options.ts";
import { isFinalState, type ProcessStatus } from "../process/state.ts";
import type { StoredJob } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import type { LiveJobs } from "./live_jobs.ts";

/** The default of `settleMs`. It is longer than a host waits between two dials. */
const SETTLE_MS = 30_000;
/** The time that a host has to acknowledge a message, in milliseconds. The network may lose packets. */
const ACKNOWLEDGE_MS = 15_000;
/** The time between two messages to a quiet host, in milliseconds. */
const HEARTBEAT_MS = 20_000;
/** How often a job that is over is cancelled when the engine does not answer. */
const CANCEL_ATTEMPTS = 6;

/** The parts of a supervisor that placed jobs use. */
export interface PlacedJobsOptions {
  readonly placing: Placing;
  readonly store: Store;
  readonly liveJobs: LiveJobs;
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
  /** The hosts of the jobs that have not ended, by instance. */
  readonly #hosts = new Map<string, PlacedHost>();
  readonly #watch: WordsWatch;
  readonly #closing = new AbortController();
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(options: PlacedJobsOptions) {
    this.#options = options;
    this.#watch = new WordsWatch(options.placing.engine, {
      wanted: () => [...this.#hosts.values()].some(({ open }) => open === undefined),
      heard: (words) => this.#heard(words),
      failed: (error) => options.onWarning(`The engine does not answer: ${error}`),
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
    return this.#add(new PlacedHost(id, spec.id, { engine: this.#options.placing.engine.name }, this.#callsOf(id)));
  }

  #add(host: PlacedHost): PlacedHost {
    this.#hosts.set(host.instance, host);
    return host;
  }

  #callsOf(id: string) {
    const need = () => {
      const host = this.#hosts.get(id);
      if (host === undefined) throw new HostUnavailableError("the job is over");
      return host;
    };
    return {
      start: async () => await this.#start(need()),
      stop: async (options: StopOptions) => await this.#stop(need(), options),
    };
  }

  /** Continues with the jobs of an earlier supervisor, and begins to accept hosts. */
  async recover(): Promise<void> {
    const { placing, store, liveJobs, makeJob } = this.#options;
    for (const stored of store.unfinishedJobs().filter(isPlaced)) {
      const { host: id, placement } = stored.process ?? {};
      if (id === undefined || placement === undefined) continue;
      const host = this.#add(new PlacedHost(id, stored.spec.id, placement, this.#callsOf(id)));
      const job = makeJob(stored);
      liveJobs.add(job);
      liveJobs.pin(job.id);
      job.adopt(host, stored.process);
    }
    await placing.gate.open((dialIn) => void this.#receive(dialIn).catch(this.#options.onError));
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    Deno.unrefTimer(this.#heartbeat);
    this.#watch.nudge();
  }

  /** Notes that the end of a job is stored, or can never be. */
  settled(job: string, status: ProcessStatus): void {
    if (!isFinalState(status.state) && status.state !== "INITIAL") return;
    const host = [...this.#hosts.values()].find((host) => host.job === job);
    if (host === undefined) return;
    this.#hosts.delete(host.instance);
    host.isOver = true;
    if (host.open === undefined) return this.#cancel(host);
    host.open.forget(job);
    host.open.retire(true);
  }

  /** Submits a job whose start is stored. */
  async #start(host: PlacedHost): Promise<void> {
    const { placing: { engine, gate, defaults } } = this.#options;
    const job = this.#jobOf(host);
    if (job === undefined || host.isOver) return;
    const token = await gate.token(host.instance);
    try {
      host.submitted(await engine.submit(host.instance, token, needsOf(job.spec, defaults)));
      job.recordPlacement();
    } catch (error) {
      if (error instanceof EngineRefusedError) this.#hosts.delete(host.instance);
      throw error;
    } finally {
      this.#watch.nudge();
    }
  }

  async #stop(host: PlacedHost, { by, reason, graceMs }: StopOptions): Promise<void> {
    const job = this.#jobOf(host);
    if (job === undefined) return;
    if (host.isUnclaimed) {
      const { engine } = this.#options.placing;
      const error = `The job was stopped while it waited for a machine of ${engine.name}`;
      return this.#fail(host, job, error, defined({ reason: reason ?? "STOPPED" as const, by }));
    }
    await this.#options.placing.engine.cancel(host.ref, "TERM");
    const killMs = (graceMs ?? job.graceMs) + this.#settleMs;
    void sleep(killMs, this.#closing.signal).then(async () => {
      if (!job.isFinalState && host.open === undefined) await this.#options.placing.engine.cancel(host.ref, "KILL");
      this.#watch.nudge();
    }).catch(() => {}); // The next stop tries again.
  }

  get #settleMs(): number {
    return this.#options.placing.settleMs ?? SETTLE_MS;
  }

  #jobOf(host: PlacedHost): HostedJob | undefined {
    const job = this.#options.liveJobs.get(host.job);
    return job instanceof HostedJob && job.host === host && !job.isFinalState ? job : undefined;
  }

  async #receive({ id, stream }: DialIn): Promise<void> {
    const connection = new MessageConnection(stream);
    const dial = await receiveDial(connection);
    if (dial === undefined || this.#closing.signal.aborted) return connection.close();
    const host = this.#hosts.get(id);
    const refused = host === undefined ? "OVER" : this.#claim(host, dial);
    if (refused !== undefined || host === undefined) return await refuseDial(connection, refused ?? "OVER");
    if (!acceptDial(connection, dial)) return await refuseDial(connection, "PROTOCOL");
    const handled = host.handled.then(() => this.#link(host, connection, dial));
    host.handled = handled.catch((error) => {
      connection.close();
      this.#options.onError(error);
    });
  }

  /** Stores that this host process alone may start the job. Returns why it may not. */
  #claim(host: PlacedHost, dial: Dial): DialRefusal | undefined {
    const job = this.#jobOf(host);
    if (job === undefined || host.isOver) return "OVER";
    if (!host.mayBe(dial)) return "TAKEN";
    if (!host.isUnclaimed) return undefined;
    const takeBack = host.claim(dial);
    try {
      job.recordPlacement();
      return undefined;
    } catch (error) {
      takeBack();
      this.#options.onError(error);
      return "LATER";
    }
  }

  /** Uses a connection as the link to a host. */
  async #link(host: PlacedHost, connection: MessageConnection, dial: Dial): Promise<void> {
    const job = this.#jobOf(host);
    if (job === undefined) return connection.close();
    const earlier = host.open;
    if (earlier !== undefined) {
      host.drop();
      await earlier.close();
    }
    const replica = await LogReplica.open(this.#options.directoryOf(job.spec));
    const link = new NodeLink(connection, dial.info, { job: job.id, replica, acknowledgeMs: ACKNOWLEDGE_MS });
    void link.closed.then(() => {
      replica.close();
      if (host.open === link) host.drop();
      this.#watch.nudge();
    });
    const early: (() => void)[] = [];
    let isAttached = false;
    const inOrder = (event: () => void) => isAttached ? event() : void early.push(event);
    const events: HostEvents = {
      changed: (change) => inOrder(() => job.apply(change)),
      grew: (_id, range) => inOrder(() => job.takeGrowth(range)),
      needsRoom: () => {},
      availability: (isAvailable) => void (!isAvailable && link.close()),
      failed: this.#options.onError,
    };
    const states = await link.attach(events);
    host.use(link);
    for (const state of states) job.takeState(state);
    isAttached = true;
    for (const event of early) event();
    if (job.isFinalState) return;
    if (dial.recovers) await this.#recoverJob(job, link);
    else if (states.length === 0) await this.#startOn(host, job);
  }

  async #startOn(host: PlacedHost, job: HostedJob): Promise<void> {
    try {
      await job.requestStart();
    } catch (error) {
      if (error instanceof HostUnavailableError) return; // It is requested again with the next link.
      this.#options.onError(error);
      host.isOver = true;
      this.#hosts.delete(host.instance);
      await host.open?.close();
    }
  }

  /** Has a job recovered whose host process has died. */
  async #recoverJob(job: HostedJob, link: NodeLink): Promise<void> {
    const { spec, processStatus: status, process } = job;
    job.apply(await link.recover({ spec, status, ...defined({ process }) }));
  }

  #heard(words: readonly EngineWord[]): void {
    const byId = Map.groupBy(words, ({ id }) => id);
    for (const host of [...this.#hosts.values()]) {
      host.heard(byId.get(host.instance) ?? []);
      const job = this.#jobOf(host);
      if (job === undefined || host.isOver) continue;
      const found = verdict(host.sight, this.#settleMs);
      if (found.is === "SUBMIT") void this.#start(host).catch(this.#options.onError);
      else if (found.is === "FAILED") this.#fail(host, job, this.#said(found.text), { reason: "START_FAILED" });
      else if (found.is === "LOST") void this.#lose(host, job, this.#said(found.text)).catch(this.#options.onError);
    }
  }

  #said(text: string): string {
    return `${this.#options.placing.engine.name} says: ${text}`;
  }

  /** Ends a job that was never started. No host is accepted from now on. */
  #fail(
    host: PlacedHost,
    job: HostedJob,
    error: string,
    cause: { readonly reason?: "START_FAILED" | NonNullable<StopOptions["reason"]>; readonly by?: string },
  ): void {
    host.isOver = true;
    const { reason = "START_FAILED" } = cause;
    const none = new Uint8Array(createHash("sha256").digest());
    const totals = { stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0, stdoutSha256: none, stderrSha256: none };
    job.apply({
      status: { state: "FAILED", reason, error, errorCode: "SPAWN_FAILED", endedAt: new Date() },
      details: { ...cause, output: { end: LOG_START, totals }, outputBytes: 0 },
    });
  }

  /** Ends a job whose end nobody saw. */
  async #lose(host: PlacedHost, job: HostedJob, text: string): Promise<void> {
    host.isOver = true;
    await host.handled;
    const { startedAt, pid, requestedBy } = job.processStatus as { startedAt?: Date; pid?: number } & ProcessStatus;
    const log = await recoverLog(job.id, { directory: this.#options.directoryOf(job.spec) });
    job.apply({
      status: {
        state: "LOST",
        reason: "LOST",
        error: `The host of the job does not report, and ${text}`,
        ...defined({ startedAt, pid, requestedBy }),
      },
      details: { reason: "LOST", output: { end: log.end, totals: log.totals() }, outputBytes: log.transferQuota() },
    });
  }

  /** Cancels a job that is over in the background, in case the engine still has it. */
  #cancel(host: PlacedHost): void {
    const { placing: { engine }, onWarning } = this.#options;
    const { signal } = this.#closing;
    void (async () => {
      const backoff = new Backoff(1_000);
      for (let left = CANCEL_ATTEMPTS; left > 0 && !signal.aborted; left--) {
        try {
          return await engine.cancel(host.ref, "KILL");
        } catch (error) {
          if (left === 1) onWarning(`Cannot cancel job "${host.job}", which is over: ${error}`);
        }
        await sleep(backoff.nextMs(), signal).catch(() => {}); // The loop ends when the signal aborts.
      }
    })();
  }

  /** Sends a message to each host, which then knows that the gateway lives, and acknowledges it. */
  #beat(): void {
    for (const { open } of this.#hosts.values()) void open?.work().catch(() => {}); // A lost link is noticed elsewhere.
  }

  /** Ends the links. The hosts and their jobs continue. */
  async close(): Promise<void> {
    this.#closing.abort(new SupervisorClosedError());
    clearInterval(this.#heartbeat);
    this.#watch.close();
    await this.#options.placing.gate.close();
    await Promise.all([...this.#hosts.values()].map(async ({ handled, open }) => {
      await handled;
      await open?.close();
    }));
  }
}
