/** Finds, starts and connects to the job hosts of a data directory, for the supervisor of a server. */
import { defined } from "../../base/defined.ts";
import type { Logger } from "../../base/logger.ts";
import { connectHost, HostConnectError, HostUnavailableError, makeRoomForJobHost } from "../../job_host.ts";
import type { HostInfo, HostLink, JobHosts, OpenHosts } from "../../mod.ts";
import { StartError } from "../start_error.ts";
import { hasEndedInOrder } from "./ended_in_order.ts";
import { findInstance, findInstances, type FoundInstance, instancePath, untilEnd } from "./instance_directory.ts";
import { type LinkedHost, untilStarted } from "./external_start.ts";
import { LaunchError, launchHost } from "./launcher.ts";
import type { HostRunOptions } from "./options.ts";

/** How long a service manager may take to start a job host, when the server starts and in a call, in milliseconds. */
const EXTERNAL_START_MS = 60_000;
const EXTERNAL_LAUNCH_MS = 5_000;

/** How long the server waits for the end of job hosts that have no job, in milliseconds. */
const IDLE_MS = 2_000;

/** How long a job host that no longer accepts links may take to end, in milliseconds. */
const ENDING_MS = 2_000;

/** The access to the job hosts of a data directory. */
export interface DirectoryHostsOptions {
  /** The absolute path of the data directory. */
  readonly data: string;
  /** The version of this program. A job host of another version gets no new jobs. */
  readonly version: string;
  /** The digest of what jobs inherit: `inheritedDigest()`. */
  readonly inherited: string;
  /** The command line of this program without arguments. */
  readonly command: readonly string[];
  /** The options of the job hosts that it starts. */
  readonly run: HostRunOptions;
  /** True: a service manager starts the job hosts. */
  readonly isExternal: boolean;
  /** The user of the job hosts, when it is another one. */
  readonly hostUser?: string;
  /** How long a call waits for the service manager, in milliseconds. Default: 5,000. */
  readonly launchMs?: number;
  readonly log: Logger;
}

/** The job hosts of a data directory. */
export class DirectoryHosts implements JobHosts {
  readonly #options: DirectoryHostsOptions;
  #current: HostInfo | undefined;
  /** True when the log has what an administrator can do, and no host has started since then. */
  #hasAdvised = false;

  constructor(options: DirectoryHostsOptions) {
    this.#options = options;
  }

  /** True without `--host-user`. */
  get haveOwnUser(): boolean {
    return this.#options.hostUser === undefined;
  }

  /** The properties of the host for new jobs. Absent before there was one. */
  get current(): HostInfo | undefined {
    return this.#current;
  }

  /**
   * Connects to all job hosts that run, and starts one for new jobs if none fits. So a host that cannot start is an error
   * of the server's start, and not of the first job.
   *
   * @throws {StartError} when none can be started
   */
  async open(): Promise<OpenHosts> {
    const links = new Map<FoundInstance, HostLink>();
    const dead: string[] = [];
    const unreachable: string[] = [];
    await Promise.all((await findInstances(this.#options.data)).map(async (found) => {
      try {
        const link = await this.#connect(found);
        if (link === undefined) dead.push(found.instance);
        else links.set(found, link);
      } catch (error) {
        if (!(error instanceof HostConnectError)) throw error;
        unreachable.push(found.instance);
        this.#options.log.error(
          `Cannot use the job host "${found.instance}"${processOf(found)}, whose jobs are left alone: ${error.message}`,
          { instance: found.instance },
        );
      }
    }));
    const fitting = [...links].filter(([{ info }]) => info !== undefined && this.#fits(info));
    const [, newest] = fitting.sort(([one], [other]) => timeOf(one) - timeOf(other)).at(-1) ?? [];
    const others = [...links.values()].filter((link) => link !== newest);
    const current = newest ?? await this.#start([...links], EXTERNAL_START_MS).catch((error) => {
      if (!(error instanceof LaunchError)) throw error;
      throw new StartError(error.isComplete ? error.message : `Cannot start a job host: ${error.message}`, {
        cause: error,
      });
    });
    this.#current = current.info;
    return { current, others: others.filter(({ info }) => info.instance !== current.info.instance), dead, unreachable };
  }

  async launch(): Promise<HostLink> {
    try {
      const link = await this.#start([], this.#options.launchMs ?? EXTERNAL_LAUNCH_MS);
      this.#current = link.info;
      this.#hasAdvised = false;
      return link;
    } catch (error) {
      if (!(error instanceof LaunchError)) throw error;
      // Users cannot start a job host. There may be a try for each call.
      if (error.forUsers !== undefined && !this.#hasAdvised) {
        this.#hasAdvised = true;
        this.#options.log.error(`No job host runs: ${error.message}`);
      }
      throw new HostUnavailableError(error.forUsers ?? `none can be started: ${error.message}`);
    }
  }

  async connect(instance: string): Promise<HostLink | undefined> {
    const link = await this.#connect(await findInstance(this.#options.data, instance));
    if (link === undefined) {
      const path = instancePath(this.#options.data, instance);
      if (await hasEndedInOrder({ path })) this.#options.log.info(`The job host "${instance}" has ended`, { instance });
      else {
        const rest = this.haveOwnUser ? "" : ": the next one ends what is left of its jobs";
        this.#options.log.error(`The job host "${instance}" has died${rest}`, { instance });
      }
    }
    return link;
  }

  /**
   * Resolves when the hosts have ended that this server had links to, and that have no job, after two seconds at the
   * latest. The links must be closed.
   */
  async idleEnded(): Promise<void> {
    const alive = (await findInstances(this.#options.data)).filter(({ isAlive, info }) => isAlive && !info?.stays);
    await Promise.all(alive.map(async (found) => {
      const hasJobs = await connectHost(found.path).then(async (link) => {
        const { runningJobs } = await link.work();
        await link.close();
        return runningJobs > 0;
      }, () => false);
      if (!hasJobs) await untilEnd(found, IDLE_MS);
    }));
  }

  /** Connects to a host. Returns undefined when it has died. */
  async #connect(found: FoundInstance): Promise<HostLink | undefined> {
    const link = await this.#linkTo(found);
    return link && this.#reporting(link);
  }

  /** Makes a link name its host in the log when the host does not answer. The supervisor does not know names. */
  #reporting(link: HostLink): HostLink {
    const { log } = this.#options;
    const { instance, pid, version } = link.info;
    const attach = link.attach.bind(link);
    const name = `The job host "${instance}", process ${pid} of version ${version},`;
    link.attach = (events) =>
      attach({
        changed: (change) => events.changed(change),
        grew: (id, range) => events.grew(id, range),
        needsRoom: (bytes) => events.needsRoom(bytes),
        failed: (error) => events.failed(error),
        availability(isAvailable) {
          if (isAvailable) log.info(`${name} answers again`, { instance, pid });
          else log.error(`${name} does not answer`, { instance, pid });
          events.availability(isAvailable);
        },
      });
    return link;
  }

  async #linkTo(found: FoundInstance): Promise<HostLink | undefined> {
    if (!found.isAlive) return undefined;
    try {
      return await connectHost(found.path);
    } catch (error) {
      // A host that ends closes its socket first.
      const isEnding = error instanceof HostConnectError && ["MISSING", "DEAD"].includes(error.problem);
      if (isEnding && found.info !== undefined && await untilEnd(found, ENDING_MS)) return undefined;
      throw error;
    }
  }

  /** Returns true if a host can run the jobs of this server. Its service manager decides about the options of others. */
  #fits({ version, stays, cgroup, allowsNewPrivileges, inherited }: NonNullable<FoundInstance["info"]>): boolean {
    const { run, isExternal } = this.#options;
    if (version !== this.#options.version) return false;
    if (isExternal) return stays;
    return !stays && cgroup === run.cgroup && allowsNewPrivileges === (run.allowNewPrivileges === true) &&
      inherited === this.#options.inherited;
  }

  /**
   * @param timeoutMs how long to wait for a service manager
   * @throws {LaunchError}
   */
  async #start(running: readonly LinkedHost[], timeoutMs: number): Promise<HostLink> {
    const { data, version, command, run, isExternal, log } = this.#options;
    if (isExternal) {
      const fits = (found: FoundInstance) => found.isAlive && found.info !== undefined && this.#fits(found.info);
      const connect = (found: FoundInstance) => this.#connect(found);
      const { hostUser } = this.#options;
      return await untilStarted(running, { data, version, log, timeoutMs, fits, connect, ...defined({ hostUser }) });
    }
    makeRoomForJobHost();
    const instance = await launchHost(command, run);
    log.info(`Started the job host "${instance}"`, { instance });
    const link = await this.#connect(await findInstance(data, instance));
    if (link === undefined) throw new LaunchError("it has ended");
    return link;
  }
}

function processOf({ info }: FoundInstance): string {
  return info === undefined ? "" : `, process ${info.pid} of version ${info.version}`;
}

function timeOf({ info }: FoundInstance): number {
  return Date.parse(info?.startedAt ?? "") || 0;
}
