/** Where the jobs of a server run: in job hosts that outlive it, or in its own process. */
import { defined } from "../base/defined.ts";
import type { Logger } from "../base/logger.ts";
import type { Controller, SupervisorOptions } from "../mod.ts";
import { openCgroups } from "./cgroups.ts";
import type { Flags } from "./flags.ts";
import { DirectoryHosts } from "./host/directory_hosts.ts";
import { findInstances, untilEnd } from "./host/instance_directory.ts";
import { lockHolder } from "./lock_holder.ts";
import type { ServerEnvironment } from "./server_environment.ts";
import type { StartConfig } from "./start_config.ts";
import { StartError } from "./start_error.ts";
import { shellWord } from "../text/escape_terminal.ts";

/** How long a job host without a server and without jobs may take to end, in milliseconds. */
const IDLE_HOST_MS = 2_000;

/** The cgroups of the jobs, for admission and for people. */
export interface PlaceCgroups {
  /** Says whether jobs have cgroups, and what follows from that. */
  readonly text: string;
  /** False when jobs have no cgroups. */
  readonly hasCgroups: boolean;
  readonly controllers: readonly Controller[];
}

/** The place of the jobs. Its end waits for the ends of job hosts that have no job. */
export interface JobPlace extends AsyncDisposable {
  /** The options of the supervisor that depend on the place. */
  readonly options: Pick<SupervisorOptions, "hosts" | "cgroups" | "stopsJobs">;
  /** True when jobs run on after the end of the server. */
  readonly outlivesServer: boolean;
  /** Returns the process of the job host for new jobs. Absent without job hosts. */
  readonly hostPid?: () => number | undefined;
  /** Returns the cgroups of new jobs. */
  readonly cgroups: () => PlaceCgroups;
}

/**
 * Opens the place that the flags name. Starts no job host yet.
 *
 * @throws {StartError} when the flags do not go together, or cgroups were named and cannot be used
 */
export async function openJobPlace(
  flags: Flags,
  { directory }: Pick<StartConfig, "directory">,
  { version, jobHost }: Pick<ServerEnvironment, "version" | "jobHost">,
  log: Logger,
): Promise<JobPlace> {
  const isExternal = flags.jobHost === "external";
  if (flags.hostUser !== undefined && !isExternal) {
    throw new StartError(
      "Cannot use --host-user without --job-host external: a server starts job hosts as its own user",
      {
        code: "USAGE",
      },
    );
  }
  if (flags.jobHost === "none" || (jobHost === undefined && !isExternal)) return await inThisProcess(flags, directory);
  if (isExternal && (flags.cgroup !== "auto" || flags.allowNewPrivileges)) {
    const option = flags.allowNewPrivileges ? "--allow-new-privileges" : "--cgroup";
    throw new StartError(`Cannot use ${option} with --job-host external: give it to "teleportd host run"`, {
      code: "USAGE",
    });
  }
  const data = await Deno.realPath(directory);
  const { cgroup, allowNewPrivileges, shutdownGrace, logLevel, logFormat } = flags;
  const hosts = new DirectoryHosts({
    data,
    version,
    inherited: jobHost?.inherited ?? "",
    command: jobHost?.command ?? [],
    run: { data, cgroup, logLevel, logFormat, ...defined({ allowNewPrivileges, shutdownGrace }) },
    isExternal,
    ...defined({ hostUser: flags.hostUser }),
    log,
  });
  return {
    options: { hosts, stopsJobs: flags.stopJobs === true },
    outlivesServer: flags.stopJobs !== true,
    hostPid: () => hosts.current?.pid,
    cgroups() {
      const { cgroups, cgroupText = "The job host does not answer" } = hosts.current ?? {};
      return { text: cgroupText, hasCgroups: cgroups !== undefined, controllers: cgroups?.controllers ?? [] };
    },
    [Symbol.asyncDispose]: () => hosts.idleEnded(),
  };
}

async function inThisProcess(flags: Flags, directory: string): Promise<JobPlace> {
  await checkNoHosts(directory);
  const { cgroups, text } = await openCgroups(flags.cgroup, directory);
  return {
    options: defined({ cgroups }),
    outlivesServer: false,
    cgroups: () => ({ text, hasCgroups: cgroups !== undefined, controllers: [...cgroups?.controllers ?? []] }),
    [Symbol.asyncDispose]: () => Promise.resolve(cgroups?.[Symbol.dispose]()),
  };
}

/**
 * Checks that no job host runs jobs, which a server without job hosts would take for the jobs of a dead server and end.
 *
 * @throws {StartError} when one runs, with the way to stop it
 */
async function checkNoHosts(directory: string): Promise<void> {
  for (const found of await findInstances(directory)) {
    // A host whose server has just stopped ends by itself.
    if (!found.isAlive || await untilEnd(found, IDLE_HOST_MS)) continue;
    // The refusal of a directory that another server has open names that server.
    if (lockHolder(`${directory}/jobs.db`) !== undefined) return;
    throw new StartError(
      `Cannot use --job-host none: the job host "${found.instance}" still runs; ` +
        `stop it and its jobs with teleportd host stop --data ${shellWord(directory)}`,
    );
  }
}
