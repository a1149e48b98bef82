/** Registers jobs: a repeated request gets its first job, and every other request a new job within the limits. */
import { engineOf } from "../engine/needs.ts";
import { NameTakenError, RequestIdReusedError } from "../errors.ts";
import { digestOf } from "../job/digest.ts";
import { newJobId } from "../job/id.ts";
import type { JobOptions, JobSpec } from "../job/spec.ts";
import { DEFAULT_CWD } from "../launch/command.ts";
import { isFinalState } from "../process/state.ts";
import { admit } from "./admission.ts";
import { applyLimits } from "./job_limits.ts";
import type { JobRegistry } from "./job_registry.ts";
import type { SupervisorOptions } from "./options.ts";
import { defined } from "../../base/defined.ts";

/**
 * Registers a job and returns its id. Does not wait for anything: concurrent calls must not all find room for one more
 * job, nor all find a request id unused.
 *
 * @param options checked by `checkJob()` before
 * @throws {RequestIdReusedError} when the owner used the request id for another job
 * @throws {NameTakenError} when another job of the owner has the name and has not ended
 * @throws {InvalidArgumentError} when a limit of the job exceeds its maximum
 * @throws {NotEnforceableError} when this host or supervisor cannot enforce an option
 * @throws {LimitReachedError} when no job can be removed to make room for this one
 * @throws {NotRecordedError} when the job cannot be written
 */
export function registerJob(
  registry: JobRegistry,
  supervisor: SupervisorOptions,
  command: string,
  args: readonly string[],
  options: JobOptions,
): string {
  const { requestId } = options;
  // `requestId` is null in the digest, as in databases of older versions.
  const digest = requestId === undefined ? undefined : digestOf([command, args, { ...options, requestId: null }]);
  const repeated = requestId === undefined ? undefined : repeatedJob(registry, options, requestId, digest);
  if (repeated !== undefined) return repeated;
  checkNameIsFree(registry, options);
  const limited = applyLimits(options, supervisor);
  const cwd = options.cwd ?? supervisor.cwd ?? DEFAULT_CWD;
  admit({ ...limited, cwd }, supervisor);
  const spec: JobSpec = {
    ...structuredClone(limited),
    id: newJobId(),
    command,
    args: [...args],
    cwd,
    ...defined({
      outputLimit: options.outputLimit ?? supervisor.outputLimit,
      engine: engineOf(options, supervisor.placing),
    }),
    registeredAt: new Date(),
  };
  registry.add(spec, digest);
  return spec.id;
}

/**
 * Checks that no job of the owner has the name and has not ended. An end is known here before it is stored when the disk
 * is full.
 *
 * @throws {NameTakenError} when a job has the name
 */
function checkNameIsFree(registry: JobRegistry, { name, owner }: JobOptions): void {
  if (name === undefined) return;
  const id = registry.store.selection.unendedNamed(owner, name).find((id) => !isFinalState(registry.status(id).state));
  if (id !== undefined) throw new NameTakenError(name, id);
}

/** Returns the job that an earlier request with this id made; undefined when there was no such request. */
function repeatedJob(
  registry: JobRegistry,
  { owner }: JobOptions,
  requestId: string,
  digest: string | undefined,
): string | undefined {
  const earlier = registry.store.findRequest(owner, requestId);
  if (earlier === undefined) return undefined;
  if (earlier.digest !== digest) throw new RequestIdReusedError(requestId, "was used for another job");
  if (earlier.isRemoved) throw new RequestIdReusedError(requestId, "was used for a job that is removed");
  return earlier.id;
}
