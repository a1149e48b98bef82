/**
 * Runs a job host from its start to its end. The process around it belongs to the caller: this file handles no signals and
 * reads no arguments.
 */
import { defined } from "../../base/defined.ts";
import type { FileModes } from "../../base/file_modes.ts";
import type { Logger } from "../../base/logger.ts";
import { type HostWork, JobHost, serveHost, SessionStarter } from "../../job_host.ts";
import { openCgroups } from "../cgroups.ts";
import { DiskTrouble } from "../disk_trouble.ts";
import { defectFields, defectText } from "../log/error_fields.ts";
import { aborted } from "../../base/aborted.ts";
import { deadline } from "../../base/deadline.ts";
import type { InstanceDirectory } from "./instance_directory.ts";
import { hostsDirectory } from "./instance_directory.ts";
import { MemoryReturn } from "../memory_return.ts";
import { launchHost } from "./launcher.ts";
import { MainProcess, type ServiceMain } from "./main_process.ts";
import type { HostRunOptions } from "./options.ts";

/** How long a new host waits for its server, in milliseconds. */
const FIRST_SERVER_MS = 10_000;

/** How long a host that stops waits until its server has stored the ends of the jobs, in milliseconds. */
const FORGET_MS = 2_000;

/** A job host that accepts links. */
export interface RunningHost {
  readonly instance: string;
  readonly work: () => Promise<HostWork>;
}

/** How the caller and a job host communicate. */
export interface HostControls {
  /** The data directory. */
  readonly data: string;
  /** The directory of this job host. */
  readonly directory: InstanceDirectory;
  readonly version: string;
  /** The digest of what jobs inherit from this process. */
  readonly inherited: string;
  /** The command line of this program without arguments, which starts a successor. */
  readonly command: readonly string[];
  /** Stops the jobs, and then the host. */
  readonly signal: AbortSignal;
  /** Kills the jobs. */
  readonly hurry: AbortSignal;
  readonly log: Logger;
  /**
   * Called once the host accepts links. Returns false when the process that has started it has given up: then the host ends
   * if no server comes soon.
   */
  readonly ready: (host: RunningHost) => boolean;
  /** The modes of all files that a server needs. Default: for the owner alone. */
  readonly modes?: FileModes;
  /** The service whose main process this may be. Absent without a service manager. */
  readonly service?: ServiceMain;
  /** Called when a job has changed, or a server has attached or left. Must return at once. */
  readonly onChange?: () => void;
}

/**
 * Runs a job host until its signal aborts, or until it is idle: no server is attached and no job runs. With `stay` it ends
 * without a signal only when it is retired and has no job.
 *
 * @throws {StartError} when it cannot start
 */
export async function runHost(options: HostRunOptions, controls: HostControls): Promise<void> {
  const { data, directory, version, inherited, command, log, modes, ready, onChange } = controls;
  const { instance } = directory;
  await using opened = new AsyncDisposableStack();
  const { cgroups, text: cgroupText } = await openCgroups(options.cgroup, data, instance);
  opened.use(cgroups);
  const sessions = await SessionStarter.open(directory.path);
  const { instance: _, ...sameOptions } = options;
  const main = controls.service && new MainProcess(data, instance, controls.service);
  const idle = Promise.withResolvers<void>();
  const trouble = new DiskTrouble(log);
  trouble.watch(directory.path);
  let succeeding: Promise<string> | undefined;
  const succeed = async () => {
    const successor = await launchHost(command, { ...sameOptions, data }, { isSuccessor: options.stay === true });
    await main?.handOverTo(successor);
    return successor;
  };
  const memory = opened.use(new MemoryReturn());
  const changed = () => {
    memory.active();
    onChange?.();
  };
  const host = opened.use(
    new JobHost({
      outputDirectory: `${data}/output`,
      hostsDirectory: hostsDirectory(data),
      instance,
      version,
      cgroupText,
      onJobChange: changed,
      onOutput: () => memory.active(),
      ...defined({ cgroups, modes, sessions }),
      // Servers that ask at the same time get the same one.
      succeed: () => succeeding ??= succeed().finally(() => succeeding = undefined),
      onRetire: (isRetired) => {
        if (!isRetired) main?.mayBeMain();
      },
      onIdle: () => void endIfIdle(),
      onError: (error) => trouble.report(error) || reportError(log, error),
    }),
  );
  let isUnwanted = false;
  const endIfIdle = async () => {
    const { isRetired } = await host.work();
    if (!host.isIdle || (options.stay && !isRetired && !isUnwanted)) return;
    host.refuseWork(); // In the same turn, so that no server attaches to a host that ends.
    idle.resolve();
  };
  // A server that has started this host and died before it attached does not come back.
  const lonely = setTimeout(() => void endIfIdle(), FIRST_SERVER_MS);
  opened.defer(() => clearTimeout(lonely));
  const server = await serveHost(host, directory.path, {
    ...defined({ modes }),
    onAttached(isAttached) {
      clearTimeout(lonely);
      isUnwanted = false;
      log.info(isAttached ? "A server has attached" : "The server has left");
      changed();
      if (!isAttached) void host.close();
    },
    onError: (error) => reportError(log, error),
  });
  opened.defer(() => server.close());
  const { startedAt, pid } = host.info;
  await directory.publish({
    pid,
    version,
    startedAt: startedAt.toISOString(),
    stays: options.stay === true,
    cgroup: options.cgroup,
    allowsNewPrivileges: options.allowNewPrivileges === true,
    inherited,
  });
  log.info(`The job host "${instance}" of version ${version} is ready`, { instance, version });
  log.info(cgroupText);
  isUnwanted = ready({ instance, work: () => host.work() }) === false;

  await Promise.race([idle.promise, aborted(controls.signal)]);
  host.refuseWork();
  if (controls.signal.aborted) await stopJobs(host, options.shutdownGrace, idle.promise, controls);
  else log.info("No job runs and no server needs this job host: it ends");
  await main?.handOverToOther();
  await server.close();
  // The ends that no server has stored stay on the disk for the next job host.
  directory.isUnneeded = !host.hasJobs;
}

/** Stops all jobs, and waits a moment until the server has stored their ends. */
async function stopJobs(
  host: JobHost,
  graceMs: number | undefined,
  idle: Promise<void>,
  { hurry, log }: HostControls,
): Promise<void> {
  const { runningJobs } = await host.work();
  log.info(`Stopping: jobs are being ended, running: ${runningJobs}`, { running_jobs: runningJobs });
  const kill = () => void host.stopJobs(0);
  hurry.addEventListener("abort", kill);
  if (hurry.aborted) kill();
  await host.stopJobs(graceMs);
  hurry.removeEventListener("abort", kill);
  host.retire(true);
  if (!hurry.aborted) await deadline(idle, FORGET_MS);
}

function reportError(log: Logger, error: unknown): void {
  log.error(`Internal error of the job host: ${defectText(error)}`, defectFields(error));
}
