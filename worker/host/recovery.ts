/** Recovers jobs of dead job hosts, and deletes what the hosts have left: ends, other files, cgroups. */
import { removeDirectory } from "../remove_directory.ts";
import { basename, dirname, join } from "node:path";
import { type CgroupTree, removeTree } from "../cgroup/tree.ts";
import { InvalidArgumentError } from "../errors.ts";
import { DeadEnds, recoveredEnd } from "./dead_ends.ts";
import type { OrphanedJob, RecoveredJob } from "./link.ts";
import { recoverOrphan } from "./orphans.ts";
import type { OwnedJobs } from "./owned_jobs.ts";

/** The options of recovery. */
export interface RecoveryOptions {
  readonly hostsDirectory: string;
  /** The instance of this host, which lives. */
  readonly instance: string;
  /** The cgroups of this host. */
  readonly cgroups?: CgroupTree;
  /** The id of the current boot. */
  readonly bootId: string;
  readonly onError: (error: unknown) => void;
}

/** The recovery of jobs whose host has died. */
export class Recovery {
  readonly #jobs: OwnedJobs;
  readonly #options: RecoveryOptions;
  readonly #deadEnds: DeadEnds;

  /** @param jobs the jobs of this host */
  constructor(jobs: OwnedJobs, options: RecoveryOptions) {
    this.#jobs = jobs;
    this.#options = options;
    this.#deadEnds = new DeadEnds(options);
  }

  /**
   * Recovers a job.
   *
   * @throws {JobRunningError} when the job is not orphaned, but runs here
   * @throws {Error} when the ends of its host cannot be read
   */
  async recover(job: OrphanedJob): Promise<RecoveredJob> {
    const { id } = job.spec;
    this.#jobs.assertEnded(id);
    const end = this.#jobs.get(id)?.end;
    if (end !== undefined) return recoveredEnd(end);
    const { instance, bootId, onError } = this.#options;
    const log = this.#jobs.logOptions(job.spec);
    const found = job.process?.host === instance ? undefined : await this.#deadEnds.recover(job, log.directory);
    return found ?? await recoverOrphan(job, { bootId, log, onError });
  }

  /**
   * Deletes the files and cgroups of a dead host.
   *
   * @throws {InvalidArgumentError} when it is this host, or no instance at all
   */
  async discard(instance: string): Promise<void> {
    const { cgroups } = this.#options;
    const directory = this.#directoryOf(instance);
    if (instance === this.#options.instance) throw new InvalidArgumentError(`The job host "${instance}" is alive`);
    const tree = cgroups && siblingOf(cgroups.directory, this.#options.instance, instance);
    if (tree !== undefined) await removeTree(tree);
    this.#deadEnds.forget(instance);
    await removeDirectory(directory);
  }

  #directoryOf(instance: string): string {
    if (/^[0-9a-zA-Z_-]+$/.test(instance)) return join(this.#options.hostsDirectory, instance);
    throw new InvalidArgumentError(`Unknown job host ${JSON.stringify(instance)}`);
  }
}

/** Returns the cgroup of another host. Undefined when the name of the own cgroup does not end with the own instance. */
function siblingOf(own: string, instance: string, other: string): string | undefined {
  const name = basename(own);
  return name.endsWith(instance) ? join(dirname(own), `${name.slice(0, -instance.length)}${other}`) : undefined;
}
