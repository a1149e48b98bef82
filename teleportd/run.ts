/** The wiring of `teleportd`: supervisor, audit record, service and wire, from the start to the end in order. */
import { dirname } from "node:path";
import { ExpiryReminder } from "../certs/expiry.ts";
import { defaultCertificateDirectory } from "../trust/default_directory.ts";
import { authorityKeyIn } from "../certs/server_files.ts";
import {
  DirectoryInUseError,
  keepFromJobs,
  RecordDamagedError,
  StoreUnusableError,
  Supervisor,
  type SupervisorOptions,
} from "../mod.ts";
import { formatAddress, parseAddress } from "../rpc/shared/address.ts";
import { serve } from "../rpc/server/server.ts";
import { callerOf } from "../service/audit/audit.ts";
import { AuditLog } from "../service/audit/log.ts";
import { createService } from "../service/handlers/handlers.ts";
import { LimitedAudit } from "../service/audit/limited_audit.ts";
import { handshakeRecord } from "../service/audit/handshake_record.ts";
import { reloadOnChange } from "./config_reload.ts";
import { callLimitsOf, limitLine } from "./call_limits.ts";
import { openCgroups } from "./cgroups.ts";
import { chooseConnections, maxDescriptors } from "./connection_options.ts";
import { tellChecked } from "./check_config.ts";
import { authorityKeyWarning, checkDataDirectory } from "./file_trust.ts";
import type { Flags } from "./flags.ts";
import { limitsInForce } from "./limits_in_force.ts";
import { LimitedLog } from "./limited_log.ts";
import { lockHolder } from "./lock_holder.ts";
import { MemoryReturn } from "./memory_return.ts";
import { openMetrics } from "./metrics/open.ts";
import { giveUpNewPrivileges } from "./new_privileges.ts";
import { namedEnds, readCredentials, readIdentity, readPolicy, readRevoked, warnOfServer } from "./identity.ts";
import { RevocationMemory } from "./revocation_memory.ts";
import { StartError } from "./start_error.ts";
import { stopSignals } from "./stop.ts";
import { readLimits, supervisorOptions } from "./supervisor_options.ts";
import { onUncaught, type Uncaught } from "./uncaught.ts";
import { describe, type ServerEnvironment } from "./server_environment.ts";
import { defined } from "../base/defined.ts";

/** Why the server ended. */
export type End = "stopped" | "failed";

/** Streams get this long to hand over what is left once every job has ended: a slow reader must not hold us up. */
const DRAIN_MS = 5_000;

/** An orderly end after an uncaught exception takes at most this long: the grace of most jobs is 10 seconds. */
const FAILED_STOP_MS = 30_000;

/**
 * Serves until told to stop by SIGTERM or SIGINT; a second one hurries.
 *
 * @returns `failed` when an uncaught exception stopped it, else `stopped`
 * @throws {Error} a sentence for the user when it cannot serve
 */
export async function run(
  flags: Flags,
  { version, env, environment, terminals, tell, exit }: ServerEnvironment,
): Promise<End> {
  keepFromJobs();
  if (!flags.allowNewPrivileges) giveUpNewPrivileges();
  const startedAt = new Date();
  const hadTerminal = terminals() > 0;
  const certs = flags.certs || defaultCertificateDirectory((name) => env[name]);
  if (certs === undefined) {
    throw new StartError("Cannot find the certificate directory: give --certs, or set TELEPORT_CERTS or HOME");
  }
  const address = parseAddress(flags.listen);
  if (flags.initCerts) await makeMissingCertificates(certs, tell);
  const directory = dataDirectory(flags.data, env);
  await checkDataDirectory(directory);
  const memory = await RevocationMemory.open(`${directory}/revoked.json`);
  const identity = await readIdentity(certs, flags.policy, memory, tell);
  const limits = await readLimits(flags.limits);
  const connections = chooseConnections(flags, await maxDescriptors());
  if (flags.checkConfig) {
    tellChecked(certs, flags, identity, tell);
    return "stopped";
  }
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 }).catch((error) => {
    throw new StartError(`Data directory "${directory}" cannot be made: ${error.message}`);
  });
  // Once more: it may have been made only now, in a directory of another's.
  await checkDataDirectory(directory);
  const authorityKey = await authorityKeyIn(certs);
  if (authorityKey !== undefined) tell(authorityKeyWarning(authorityKey));
  await using monitoring = await openMetrics(flags.metrics, { env, version });
  const metrics = monitoring?.metrics;
  const { cgroups, line: cgroupsLine } = await openCgroups(flags.cgroup, directory);
  const supervisor = openJobs(directory, {
    ...supervisorOptions(flags, limits, { env, environment, tell }),
    directory,
    ...(metrics && { onStoreWrite: metrics.onStoreWrite }),
    ...defined({ cgroups }),
  });
  // Removed in the end. Not before the directory is this server's own: another may have the same cgroups.
  using _ = cgroups;
  const { stop, hurry, request } = stopSignals(() => exit(uncaught.failed));
  using uncaught = onUncaught({ tell, stop: request, hurry: request, stopTimeoutMs: FAILED_STOP_MS });
  hurry.addEventListener("abort", () => void supervisor.close({ graceMs: 0 }));
  await supervisor.ready().catch((error) => {
    throw ofDirectory(error, directory);
  });
  // Told to stop before there was anybody to serve: what was left of an earlier life is ended, and that is all.
  if (stop.aborted) {
    await supervisor.close();
    return endOf(uncaught);
  }
  // Not before the directory is this server's own.
  await memory.save().catch((error) => {
    throw new StartError(`Who is revoked cannot be written down in "${directory}": ${error.message}`);
  });
  await using auditLog = await AuditLog.open({
    directory: `${directory}/audit`,
    ...(metrics && { onWrite: metrics.onAuditWrite }),
    onError: (error) => tell(`the audit record cannot be written, so nothing new is done until it can: ${error}`),
    ...defined({ maxFileBytes: flags.auditFileBytes, maxFiles: flags.auditFiles }),
  }).catch((error) => {
    throw new StartError(`The audit record in "${directory}/audit" cannot be opened: ${error.message}`);
  });
  if (auditLog.found !== undefined) tell(`warning: audit: ${auditLog.found}`);
  using audit = new LimitedAudit(auditLog);
  let { policy, credentials } = identity;
  using refusals = new LimitedLog(tell);
  using freed = new MemoryReturn();
  const server = await serve({
    ...address,
    credentials: identity.credentials,
    revoked: identity.revoked,
    ...createService(supervisor, {
      policy: () => policy.policy,
      audit,
      info: () => ({
        version,
        runtimeVersion: Deno.version.deno,
        startedAt,
        uptimeMs: Math.floor(performance.now()),
        limits: limitsInForce(flags, limits, connections.limits),
        hasCgroups: cgroups !== undefined,
        cgroupControllers: [...cgroups?.controllers ?? []],
        cgroupText: cgroupsLine,
        directory,
      }),
    }),
    ...(metrics && { observer: metrics }),
    limits: callLimitsOf(flags),
    onActivity: () => freed.active(),
    onLimit: (cause, user) => refusals.write(`LIMIT_${cause}`, limitLine(cause, user)),
    onRefused: (context, error) => {
      const rule = error instanceof Error ? error.message : "";
      const call = context.method.slice(context.method.lastIndexOf("/") + 1);
      const denied = { call, allowed: false, rule, code: "UNAUTHENTICATED" };
      audit.record({ event: "call", ...callerOf(context), ...denied });
    },
    ...connections.options,
    onHandshakeFailure: handshakeRecord(audit),
    onConnectionRefused: ({ cause, text }) => refusals.write(cause, text),
    onNetworkError: ({ kind, error }) =>
      tell(
        `error at a connection, in ${kind}, which was ended; later errors of this kind are not logged: ${
          describe(error)
        }`,
      ),
    onInternalError: (error, method) => tell(`internal error in ${method}: ${describe(error)}`),
  });
  metrics?.observe({
    statistics: () => supervisor.statistics(),
    connections: () => ({ ...server.connectionStatistics.open }),
    refusals: () => ({ ...server.connectionStatistics.refused, ...server.limits.accounts.refusals }),
  });
  const say = (line: string) => {
    tell(line);
    audit.record({ event: "server", text: line });
  };
  using reminder = new ExpiryReminder(tell);
  reminder.watch(namedEnds(identity.credentials));
  await using changes = reloadOnChange({
    identity,
    directories: [certs, ...(flags.policy === undefined ? [] : [dirname(flags.policy)])],
    readCredentials: () => readCredentials(certs),
    readRevoked: (ca) => readRevoked(certs, ca, memory, tell),
    readPolicy: () => readPolicy(flags.policy),
    renew: (current) => {
      server.renew(current);
      if (current.credentials !== credentials) warnOfServer(current.credentials, tell);
      ({ credentials } = current);
      reminder.watch(namedEnds(current.credentials));
    },
    setPolicy: (current) => {
      policy = current;
      server.reclassify();
    },
    say,
  });
  Deno.addSignalListener("SIGHUP", () => {
    // Started by hand, and its terminal was closed: nobody would see that it runs on. Else it is asked to reload.
    if (hadTerminal && terminals() === 0) request();
    else changes.nudge();
  });
  server.setServing(!stop.aborted);
  say(cgroupsLine);
  if (connections.line !== undefined) say(connections.line);
  for (const line of monitoring?.lines ?? []) say(line);
  say(`listening on ${formatAddress(server)}`);
  stop.addEventListener("abort", () => {
    server.setServing(false);
    say("stopping: no new work is taken, jobs are being ended");
  });
  // The order of the end: no new work is taken, jobs end, streams hand over what is left, the record is closed.
  await supervisor.run({ signal: stop });
  await server.shutdown({ graceMs: DRAIN_MS });
  await supervisor.close();
  return endOf(uncaught);
}

function openJobs(directory: string, options: SupervisorOptions): Supervisor {
  try {
    return new Supervisor(options);
  } catch (error) {
    throw ofDirectory(error, directory);
  }
}

/** Says of an error which directory it is about. The library's sentences go to clients too, and name no path. */
function ofDirectory(error: unknown, directory: string): unknown {
  if (error instanceof DirectoryInUseError) {
    const pid = lockHolder(`${directory}/jobs.db`);
    const who = pid === undefined ? "it" : `process ${pid}`;
    return new StartError(
      `Another server uses the data directory: ${who} has "${directory}" open, stop it or give another one with --data`,
    );
  }
  if (error instanceof StoreUnusableError || error instanceof RecordDamagedError) {
    return new StartError(`${error.message} (data directory "${directory}")`);
  }
  return error;
}

function endOf({ failed }: Uncaught): End {
  return failed ? "failed" : "stopped";
}

function dataDirectory(flag: string | undefined, env: ServerEnvironment["env"]): string {
  if (flag !== undefined && flag !== "") return flag;
  const state = env.XDG_STATE_HOME;
  if (state?.startsWith("/")) return `${state}/teleport`;
  if (env.HOME) return `${env.HOME}/.local/state/teleport`;
  throw new StartError("No directory for data: give --data DIR, or set HOME");
}

async function makeMissingCertificates(dir: string, tell: ServerEnvironment["tell"]): Promise<void> {
  // Only here: making certificates loads far more than using them.
  const { ensureServing } = await import("../certs/serving.ts");
  for (const { certificatePath, notAfter } of await ensureServing({ dir })) {
    tell(`made ${certificatePath}, valid until ${notAfter.toISOString().slice(0, 10)}`);
  }
}
