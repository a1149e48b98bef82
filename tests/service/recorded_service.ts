/** A service in this process whose audit entries a test reads. */
import { Supervisor } from "../../mod.ts";
import type { Audit, AuditEntry } from "../../service/audit/audit.ts";
import { createService, type ServiceOptions } from "../../service/handlers/service.ts";
import { NotRecordedError } from "../../worker/storage_errors.ts";
import { certificateOf, clientOf } from "../support/service.ts";

/** Starts a service with its own jobs. Disposal ends them. */
export function recorded(options: ServiceOptions = {}) {
  const supervisor = new Supervisor({ closeGraceMs: 100 });
  const entries: AuditEntry[] = [];
  let broken = false;
  const audit: Audit = {
    record: (entry) => void entries.push(entry),
    ready: () => broken ? Promise.reject(new NotRecordedError()) : Promise.resolve(),
  };
  const service = createService(supervisor, { audit, ...options });
  return {
    supervisor,
    service,
    entries,
    breakDisk: () => broken = true,
    /** The lines since the last time, with what a test compares. */
    take: () =>
      entries.splice(0).map(({ user, call, allowed, rule, code, job }) => ({ user, call, allowed, rule, code, job })),
    as: (user: string, ...roles: string[]) => clientOf(service, certificateOf(user, ...roles)),
    [Symbol.asyncDispose]: () => supervisor.close(),
  };
}
