/** Holds the connections of a supervisor to its job hosts: opens, repairs and closes them, and starts a missing host. */
import { Backoff, sleep } from "../../base/backoff.ts";
import { errorMessage } from "../../base/error_message.ts";
import { HostUnavailableError, SupervisorClosedError } from "../errors.ts";
import { HostConnection } from "./host_connection.ts";
import type { JobHosts } from "./job_hosts.ts";
import type { HostedJobState, HostEvents, HostLink, JobChange } from "./link.ts";
import { isOtherProtocol } from "./socket/connect_host.ts";

/** The wait before the next try to reach a host, in milliseconds. There are tries only while a host cannot be reached. */
const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 10_000;

/** Receives what the hosts report. */
export interface HostPoolEvents {
  /** A link to a host is open. Events of the host follow this call. */
  attached(host: HostConnection, jobs: readonly HostedJobState[]): void;
  /** A host that did not answer answers again. */
  answers(host: HostConnection): void;
  /** A host does not answer, or cannot be reached. `availability(false)` comes before. */
  fellSilent(host: HostConnection): void;
  /** A host has died. Rejects when its jobs could not be recovered; the pool then calls it again later. */
  died(host: HostConnection): Promise<void>;
  changed(host: HostConnection, change: JobChange): void;
  grew: HostEvents["grew"];
  needsRoom(host: HostConnection, bytes: number): void;
  /** False: a host does not answer. True: all hosts answer again. */
  availability(isAvailable: boolean): void;
  failed(error: unknown): void;
}

/** The first try to replace a lost link. */
interface FirstTry {
  /** Resolves when it is known whether the host has died. */
  readonly known: Promise<void>;
  /** Resolves when the try is over. The jobs of a dead host are recovered then, as far as that works. */
  readonly tried: Promise<void>;
}

/** The connections to all job hosts. */
export class HostPool {
  readonly #hosts: JobHosts;
  readonly #events: HostPoolEvents;
  readonly #connections = new Map<string, HostConnection>();
  /** The links that are not attached yet. */
  readonly #waiting = new Map<HostConnection, HostLink>();
  /** The hosts that run and could not be reached at the start. */
  readonly #unreachable: HostConnection[] = [];
  readonly #closing = new AbortController();
  #current: HostConnection | undefined;
  /** Resolves when the host for new jobs is launched, or its link was tried again. */
  #changing: Promise<void> | undefined;

  constructor(hosts: JobHosts, events: HostPoolEvents) {
    this.#hosts = hosts;
    this.#events = events;
  }

  /** Connects to all hosts that run. Returns the instances of those that have died. `attachAll()` must follow. */
  async open(): Promise<readonly string[]> {
    const { current, others, dead, unreachable } = await this.#hosts.open();
    for (const link of [...(current === undefined ? [] : [current]), ...others]) {
      this.#waiting.set(this.#add(link.info.instance), link);
    }
    for (const instance of unreachable) this.#unreachable.push(this.#add(instance));
    if (current !== undefined) this.#current = this.find(current.info.instance);
    return dead;
  }

  #add(instance: string): HostConnection {
    const host = new HostConnection(instance);
    this.#connections.set(instance, host);
    return host;
  }

  /** Attaches to the hosts that `open()` found. A host that cannot be reached is tried again in the background. */
  async attachAll(): Promise<void> {
    for (const host of this.#unreachable.splice(0)) this.#repair(host, undefined);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    await Promise.all(waiting.map(async ([host, link]) => {
      try {
        await this.#attach(host, link);
      } catch (error) {
        this.#lost(host, error);
      }
    }));
  }

  /** The host for new jobs, when its link is open. */
  get current(): HostConnection | undefined {
    return this.#current?.open === undefined ? undefined : this.#current;
  }

  /** All hosts. */
  get all(): readonly HostConnection[] {
    return [...this.#connections.values()];
  }

  /** Returns the host of an instance. Undefined when it has died. */
  find(instance: string | undefined): HostConnection | undefined {
    return instance === undefined ? undefined : this.#connections.get(instance);
  }

  /**
   * Returns the host for new jobs. Launches it when there is none.
   *
   * @throws {HostUnavailableError} when it cannot be launched
   * @throws {SupervisorClosedError} when the pool is closed
   */
  async forNewJobs(): Promise<HostConnection> {
    if (this.current !== undefined) return this.current;
    await this.#changing?.catch(() => {}); // The caller that changes it gets the error.
    if (this.#closing.signal.aborted) throw new SupervisorClosedError();
    if (this.#current === undefined) {
      await (this.#changing ?? this.#change(this.#launch()));
    }
    if (this.current === undefined) await this.#changing?.catch(() => {}); // Its link was lost at once.
    if (this.#current === undefined) throw new HostUnavailableError("it has ended");
    return this.#current;
  }

  #change(work: Promise<void>): Promise<void> {
    const changing = work.finally(() => {
      if (this.#changing === changing) this.#changing = undefined;
    });
    return this.#changing = changing;
  }

  async #launch(): Promise<void> {
    const link = await this.#hosts.launch();
    const host = this.#current = this.#add(link.info.instance);
    try {
      await this.#attach(host, link);
    } catch (error) {
      this.#setAvailable(host, true);
      this.#connections.delete(host.instance);
      this.#current = undefined;
      throw error;
    }
  }

  async #attach(host: HostConnection, link: HostLink): Promise<void> {
    const early: (() => void)[] = [];
    let isAttached = false;
    const inOrder = (event: () => void) => isAttached ? event() : void early.push(event);
    const jobs = await attach(link, {
      changed: (change) => inOrder(() => this.#events.changed(host, change)),
      grew: (id, range) => inOrder(() => this.#events.grew(id, range)),
      needsRoom: (bytes) => inOrder(() => this.#events.needsRoom(host, bytes)),
      availability: (isAvailable) => this.#setAvailable(host, isAvailable),
      failed: (error) => this.#events.failed(error),
    });
    if (this.#closing.signal.aborted) {
      await link.close();
      throw new SupervisorClosedError();
    }
    host.use(link);
    void link.closed.then((reason) => {
      if (reason !== undefined && host.open === link) this.#lost(host, reason);
    });
    this.#events.attached(host, jobs);
    isAttached = true;
    for (const event of early) event();
    // A host in this process gives its first event in the next turn. The first start must not be answered before it.
    await new Promise((resolve) => setImmediate(resolve));
    this.#setAvailable(host, true);
    // The host for new jobs may be retired: an earlier server may have used another one.
    link.retire(host !== this.#current);
  }

  #setAvailable(host: HostConnection, isAvailable: boolean): void {
    if (host.doesAnswer === isAvailable) return;
    const areAvailable = () => this.all.every(({ doesAnswer }) => doesAnswer);
    const wereAvailable = areAvailable();
    host.doesAnswer = isAvailable;
    if (isAvailable && host.open !== undefined) this.#events.answers(host);
    if (areAvailable() !== wereAvailable) this.#events.availability(isAvailable);
    if (!isAvailable) this.#events.fellSilent(host);
  }

  #lost(host: HostConnection, reason: unknown): void {
    if (this.#closing.signal.aborted) return;
    const { known, tried } = this.#repair(host, reason);
    host.drop(tried);
    // A start waits for the first try, so that it can use the next host when this one has died.
    if (host === this.#current) void this.#change(known);
  }

  /**
   * Connects again, or has the jobs of a dead host recovered. Tries until that works.
   *
   * @param reason why it cannot be reached; undefined when the reason was reported, and the first try will give it
   */
  #repair(host: HostConnection, reason: unknown): FirstTry {
    const [known, tried] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const repair = async () => {
      const backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
      let reported = reason === undefined ? undefined : errorMessage(reason);
      while (!this.#closing.signal.aborted) {
        try {
          const link = await this.#hosts.connect(host.instance);
          if (link === undefined) await this.#bury(host, known.resolve);
          else await this.#attach(host, link);
          return;
        } catch (error) {
          if (this.#closing.signal.aborted) return;
          if (!isOtherProtocol(error)) this.#setAvailable(host, false);
          const message = errorMessage(error);
          if (message !== (reported ?? message)) this.#events.failed(error);
          reported = message;
        } finally {
          known.resolve();
          tried.resolve();
        }
        await sleep(backoff.nextMs(), this.#closing.signal).catch(() => {}); // The loop ends when the pool closes.
      }
    };
    void repair();
    return { known: known.promise, tried: tried.promise };
  }

  /** Has the jobs of a host that has died recovered. */
  async #bury(host: HostConnection, onKnown: () => void): Promise<void> {
    if (host === this.#current) this.#current = undefined;
    host.noteDeath();
    onKnown();
    await this.#events.died(host);
    this.#setAvailable(host, true);
    this.#connections.delete(host.instance);
  }

  /** Ends all links. The hosts and their jobs continue. */
  async close(): Promise<void> {
    this.#closing.abort(new SupervisorClosedError());
    await this.#changing?.catch(() => {}); // A host that is being launched gets its link closed.
    await Promise.all([...this.all.map(({ open }) => open), ...this.#waiting.values()].map((link) => link?.close()));
  }
}

/** Attaches to a host. A link that does not work is closed. */
async function attach(link: HostLink, events: HostEvents): Promise<readonly HostedJobState[]> {
  try {
    return await link.attach(events);
  } catch (error) {
    await link.close().catch(() => {}); // The caller gets the first error.
    throw error;
  }
}
