/** The call Info: answers what the server is and what it can do. */
import { statfs } from "node:fs/promises";
import type { Supervisor } from "../../mod.ts";
import type { JobWorkerHandlers, Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { timestamp } from "../convert/timestamps.ts";
import { listScope } from "../policy/policy.ts";
import { type HandlerParts, identifySelf } from "./parts.ts";
import type { ServerInfo } from "./server_info.ts";

/** How long the result of a probe is kept, in milliseconds. A probe starts processes, and callers may ask in a loop. */
const PROBE_AGAIN_MS = 60_000;

const probes = new WeakMap<object, { readonly atMs: number; readonly found: ReturnType<Supervisor["isolations"]> }>();

export function infoHandler(parts: HandlerParts): JobWorkerHandlers["Info"] {
  return async (_request, context) => {
    const identity = identifySelf(parts, context);
    const { owner, shows } = listScope(parts.policy(), identity, "List");
    const seesAll = owner === undefined && shows === undefined;
    return await infoMessage(parts.supervisor, parts.info(), { seesAll });
  };
}

/**
 * Returns the answer.
 *
 * @param options.seesAll whether the caller may see the jobs of all users, and so their number
 */
async function infoMessage(
  supervisor: Pick<Supervisor, "statistics" | "isolations">,
  info: ServerInfo,
  { seesAll }: { readonly seesAll: boolean },
): Promise<Sent<wire.InfoResponse>> {
  const { jobs, running, diskBytes, maxDiskBytes } = await supervisor.statistics();
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
        running_jobs: running,
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
