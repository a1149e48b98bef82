/** The access of a supervisor to the job hosts of its data directory. A program implements it, because it starts them. */
import type { HostLink } from "./link.ts";

/** The job hosts of a data directory at the start of a supervisor. */
export interface OpenHosts {
  /** The host for new jobs. Absent when no host with the version and the options of this supervisor runs. */
  readonly current?: HostLink;
  /** The hosts of earlier supervisors. They still have jobs. */
  readonly others: readonly HostLink[];
  /** The instances of hosts that have died and left files. */
  readonly dead: readonly string[];
  /** The instances of hosts that run and cannot be used now. Their jobs are left alone until they can. */
  readonly unreachable: readonly string[];
}

/** The job hosts of a data directory. */
export interface JobHosts {
  /** True when the hosts have the user of this process, which can then recover the jobs of a dead host without another. */
  readonly haveOwnUser?: boolean;
  /**
   * Connects to all job hosts that run. It may also start the host for new jobs, so that a host that cannot start fails
   * the start of the supervisor. The supervisor calls this once, attaches to each link, and retires the other hosts.
   */
  open(): Promise<OpenHosts>;
  /**
   * Starts the host for new jobs and connects to it. The supervisor calls this when it needs such a host for a start or a
   * recovery, and none runs. It never calls this twice at the same time.
   *
   * @throws {HostUnavailableError} when the host cannot be started or does not answer, with the reason
   */
  launch(): Promise<HostLink>;
  /**
   * Connects again to a host whose link has ended.
   *
   * @returns undefined when the host has died
   * @throws {HostUnavailableError} when the host runs and does not accept the link
   */
  connect(instance: string): Promise<HostLink | undefined>;
}
