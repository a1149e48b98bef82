/** Starts to take calls: the service on the wire, its metrics, and the reloads of its configuration. */
import { dirname } from "node:path";
import type { Logger } from "../base/logger.ts";
import { ExpiryReminder } from "../certs/expiry_reminder.ts";
import type { Supervisor } from "../mod.ts";
import { type RpcServer, serve } from "../rpc/server/server.ts";
import type { LimitedAudit } from "../service/audit/limited_audit.ts";
import { createService } from "../service/handlers/service.ts";
import type { ServerInfo } from "../service/handlers/server_info.ts";
import { callLimitsOf } from "./call_limits.ts";
import { reloadOnChange } from "./config_reload.ts";
import type { FileChanges } from "./file_changes.ts";
import type { Flags } from "./flags.ts";
import type { JobPlace } from "./job_place.ts";
import { limitsInForce } from "./limits_in_force.ts";
import { LimitedLog } from "./log/limited_log.ts";
import { MemoryReturn } from "./memory_return.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { readPolicy } from "./reloadable_config.ts";
import { namedEnds, readCredentials, readRevoked, warnOfServer } from "./server_credentials.ts";
import type { StartConfig } from "./start_config.ts";
import { callLog, observers, wireEvents } from "./wire_events.ts";

/** The parts of a server that are open before it takes calls. */
export interface ServingParts {
  readonly flags: Flags;
  readonly version: string;
  /** When the server started: the date, and the time of `performance.now()`. */
  readonly started: { readonly at: Date; readonly ms: number };
  readonly config: StartConfig;
  readonly supervisor: Supervisor;
  readonly audit: LimitedAudit;
  readonly log: Logger;
  /** The log whose entries also go to the audit log. */
  readonly serverLog: Logger;
  readonly place: JobPlace;
  readonly metrics: Metrics | undefined;
}

/** A server on the wire. Its health is NOT_SERVING until `setServing(true)`. */
export interface Serving {
  readonly server: RpcServer;
  /** Its `nudge()` reloads the configuration. */
  readonly changes: FileChanges;
}

/**
 * Listens, and follows changes of the configuration.
 *
 * @param opened receives everything that must be closed at the end
 * @throws {AddressError} when the address cannot be listened on
 */
export async function startServing(opened: AsyncDisposableStack, parts: ServingParts): Promise<Serving> {
  const { flags, config, supervisor, audit, log, serverLog, metrics } = parts;
  const { certs, memory, connections } = config;
  let { policy, credentials } = config.reloadable;
  const limitedLog = opened.use(new LimitedLog(log));
  const memoryReturn = opened.use(new MemoryReturn());
  const observer = observers(metrics, flags.logLevel === "debug" ? callLog(log) : undefined);
  const service = createService(supervisor, { policy: () => policy.policy, audit, info: () => serverInfo(parts) });
  const server = opened.use(
    await serve({
      ...config.listen,
      credentials,
      revoked: config.reloadable.revoked,
      handlers: service.handlers,
      admit: service.admit,
      // Named one by one: a spread hides from the type checker that a name does not fit.
      ownerOf: service.ownerOf,
      ...(observer && { observer }),
      limits: callLimitsOf(flags),
      ...connections.options,
      ...wireEvents({ log, limitedLog, audit }),
      onActivity: () => memoryReturn.active(),
      onHealthAsked: () => supervisor.askHosts(),
    }),
  );
  metrics?.observe({
    statistics: () => supervisor.statistics(),
    connections: () => ({ ...server.connectionStatistics.open }),
    refusals: () => ({ ...server.connectionStatistics.refused, ...server.limits.accounts.refusals }),
  });
  const reminder = opened.use(new ExpiryReminder(log));
  reminder.watch(namedEnds(credentials));
  const changes = opened.use(reloadOnChange({
    config: config.reloadable,
    directories: [certs, ...(flags.policy === undefined ? [] : [dirname(flags.policy)])],
    readCredentials: () => readCredentials(certs),
    readRevoked: (ca) => readRevoked(certs, ca, memory, log),
    readPolicy: () => readPolicy(flags.policy),
    setCredentials: (current) => {
      server.renew(current);
      if (current.credentials !== credentials) warnOfServer(current.credentials, log);
      ({ credentials } = current);
      reminder.watch(namedEnds(credentials));
    },
    setPolicy: (current) => {
      policy = current;
      server.reclassify();
    },
    log: serverLog,
  }));
  return { server, changes };
}

function serverInfo({ flags, version, started, config, place }: ServingParts): ServerInfo {
  const { text, hasCgroups, controllers } = place.cgroups();
  return {
    version,
    runtimeVersion: Deno.version.deno,
    startedAt: started.at,
    uptimeMs: Math.floor(performance.now() - started.ms),
    limits: limitsInForce(flags, config.limits, config.connections.limits),
    hasCgroups,
    cgroupControllers: controllers,
    cgroupText: text,
    directory: config.directory,
  };
}
