/** The answer of the call Info: what the server is, and what it can do. */
import { statfs } from "node:fs/promises";
import type { Supervisor } from "../../mod.ts";
import type { Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { timestamp } from "../convert/messages.ts";

/** Facts about a server that the supervisor does not know. */
export interface ServerInfo {
  readonly version?: string;
  readonly runtimeVersion?: string;
  readonly startedAt?: Date;
  readonly uptimeMs?: number;
  /** Limits in force by name, in the order in which they are shown. */
  readonly limits?: Readonly<Record<string, number>>;
  readonly hasCgroups?: boolean;
  readonly cgroupControllers?: readonly string[];
  readonly cgroupText?: string;
  /** The directory of the jobs. Absent when they are kept in memory. */
  readonly directory?: string;
}

/** Levels that failed are tried again after this: a probe starts a process, and a caller may ask in a loop. */
const PROBE_AGAIN_MS = 60_000;

const probes = new WeakMap<object, { readonly atMs: number; readonly found: ReturnType<Supervisor["isolations"]> }>();

/**
 * Makes the answer.
 *
 * @param options.seesAll whether the caller may see the jobs of all users, and so their number
 */
export async function infoMessage(
  supervisor: Pick<Supervisor, "statistics" | "isolations">,
  info: ServerInfo,
  { seesAll }: { readonly seesAll: boolean },
): Promise<Sent<wire.InfoResponse>> {
  const { jobs, diskBytes, maxDiskBytes } = await supervisor.statistics();
  const isolations = Object.entries(await isolationsOf(supervisor));
  const disk = info.directory === undefined ? undefined : await statfs(info.directory);
  return {
    version: info.version,
    runtime_version: info.runtimeVersion,
    started_at: info.startedAt && timestamp(info.startedAt),
    uptime_ms: info.uptimeMs,
    limits: Object.entries(info.limits ?? {}).map(([name, value]) => ({ name, value })),
    isolations: isolations.map(([level, unavailable]) => ({
      isolation: `ISOLATION_${level as keyof Awaited<ReturnType<Supervisor["isolations"]>>}`,
      unavailable,
    })),
    has_cgroups: info.hasCgroups,
    cgroup_controllers: info.cgroupControllers && [...info.cgroupControllers],
    cgroup_text: info.cgroupText,
    disk_bytes: diskBytes,
    max_disk_bytes: maxDiskBytes === Infinity ? undefined : maxDiskBytes,
    free_disk_bytes: disk && disk.bavail * disk.bsize,
    ...(seesAll
      ? {
        jobs: Object.values(jobs).reduce((sum, count) => sum + count, 0),
        running_jobs: jobs.STARTING + jobs.RUNNING + jobs.STOPPING,
      }
      : {}),
  };
}

function isolationsOf(supervisor: Pick<Supervisor, "isolations">): ReturnType<Supervisor["isolations"]> {
  const last = probes.get(supervisor);
  if (last !== undefined && performance.now() - last.atMs < PROBE_AGAIN_MS) return last.found;
  const found = supervisor.isolations();
  probes.set(supervisor, { atMs: performance.now(), found });
  return found;
}
