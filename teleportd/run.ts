/**
 * Runs a server from its start to its end. The process around it belongs to the caller: this file handles no signals, reads
 * no arguments, and several servers can run in one process.
 */
import { errorMessage } from "../base/error_message.ts";
import type { Logger } from "../base/logger.ts";
import { onAbort } from "../base/on_abort.ts";
import { authorityKeyIn } from "../certs/server_files.ts";
import { type Placing, Supervisor, type SupervisorOptions } from "../mod.ts";
import { formatAddress } from "../rpc/shared/address.ts";
import { LimitedAudit } from "../service/audit/limited_audit.ts";
import { openAuditLog } from "./audit_log.ts";
import { logToAudit } from "./log_to_audit.ts";
import { logCheckedConfig } from "./check_config.ts";
import { directoryErrorOf, makeDataDirectory } from "./data_directory.ts";
import { DiskTrouble } from "./disk_trouble.ts";
import { EXIT_FAILED, EXIT_OK } from "./exit_code.ts";
import { authorityKeyWarning } from "./file_trust.ts";
import type { Flags } from "./flags.ts";
import { type JobPlace, openJobPlace } from "./job_place.ts";
import { limitsErrorOf } from "./limits_file.ts";
import { stoppingText, unstoppedText } from "./stopping_text.ts";
import { openMetrics } from "./metrics/open.ts";
import type { ServerEnvironment } from "./server_environment.ts";
import { startServing } from "./serving.ts";
import { ServingState } from "./serving_state.ts";
import { readStartConfig, type StartConfig } from "./start_config.ts";
import { startErrorOf } from "./expected_errors.ts";
import { StartError } from "./start_error.ts";
import { supervisorOptions } from "./supervisor_options.ts";

/** How long streams may take to deliver the rest after the jobs have ended or were left, in milliseconds. */
const DRAIN_MS = 5_000;

/** The input of a server. */
export interface ServerOptions {
  readonly flags: Flags;
  readonly environment: ServerEnvironment;
}

/** A server that takes calls. */
export interface ListeningServer {
  /** The bound address as HOST:PORT. */
  readonly address: string;
  /** Reads certificates, revoked certificates and policy again. Resolves when they are in force or refused. */
  readonly reload: () => Promise<void>;
  /** Counts running jobs and their watchers. */
  readonly counts: () => Promise<{ readonly runningJobs: number; readonly watchers: number }>;
}

/** How the caller and a server communicate. */
export interface RunControls {
  /** Stops the server in order. */
  readonly signal: AbortSignal;
  /** Stops the server at once: kills the jobs that end with it, and delivers nothing more. Default: never aborts. */
  readonly hurry?: AbortSignal;
  readonly log: Logger;
  /** Called once the server takes calls. */
  readonly listening?: (server: ListeningServer) => void;
  /** Called when a job has changed. Must return at once. */
  readonly onJobChange?: () => void;
}

/**
 * Runs a server until the signal aborts, also during the start. Then it takes no new work. It ends the jobs,
 * or leaves them to their job hosts. It lets streams deliver the rest, and gives back everything it has opened.
 *
 * @returns the exit code: 0 after an orderly end, 1 when jobs that end with the server could not be stopped
 * @throws {StartError} when the server cannot start
 *
 * @example
 * ```ts
 * import { parseFlags } from "./flags.ts";
 * import { ServerLog } from "./log/server_log.ts";
 * import { run } from "./run.ts";
 *
 * async function serveForAMinute(): Promise<number> {
 *   const flags = parseFlags(["--listen", "127.0.0.1:0"], "1.0.0", { stdout: console.log, stderr: console.error });
 *   const environment = { version: "1.0.0", env: {}, environment: () => ({}) };
 *   return await run({ flags, environment }, {
 *     signal: AbortSignal.timeout(60_000),
 *     log: new ServerLog(Deno.stderr),
 *     listening: ({ address }) => console.log(address),
 *   });
 * }
 * ```
 */
export async function run(options: ServerOptions, controls: RunControls): Promise<number> {
  try {
    return await runUntilAborted(options, controls) === 0 ? EXIT_OK : EXIT_FAILED;
  } catch (error) {
    throw startErrorOf(error) ?? error;
  }
}

/** @returns the number of jobs that should have ended with the server and have not */
async function runUntilAborted({ flags, environment }: ServerOptions, controls: RunControls): Promise<number> {
  const { hurry, log, listening, onJobChange } = controls;
  const signal = hurry === undefined ? controls.signal : AbortSignal.any([controls.signal, hurry]);
  const { env, version } = environment;
  const started = { at: new Date(), ms: performance.now() };
  const config = await readStartConfig(flags, environment, log);
  const { certs, directory, memory, limits } = config;
  if (flags.checkConfig) logCheckedConfig(certs, flags, config.reloadable, log);
  if (flags.checkConfig || signal.aborted) return 0;
  await makeDataDirectory(directory, config.hostUid);
  const authorityKey = await authorityKeyIn(certs);
  const keyWarning = authorityKey === undefined ? undefined : authorityKeyWarning(authorityKey, config.hostUid);
  if (keyWarning !== undefined) log.warn(keyWarning, { path: authorityKey });

  await using opened = new AsyncDisposableStack();
  const monitoring = opened.use(await openMetrics(flags.metrics, { env, version }));
  const metrics = monitoring?.metrics;
  const place = await openJobPlace(flags, config, environment, log);
  const placing = await openEngineOf(flags, config, environment, log);
  const health = new ServingState();
  const trouble = new DiskTrouble(log, { onGone: (isGone) => health.set({ hasDirectory: !isGone }) });
  const supervisorParts = {
    ...supervisorOptions(flags, limits, environment, log, trouble),
    ...place.options,
    ...(placing && { placing }),
    directory,
    onAvailability: (isAvailable: boolean) => health.set({ hostsAnswer: isAvailable }),
    onStoreWrite(durationMs: number) {
      trouble.written();
      metrics?.onStoreWrite(durationMs);
      onJobChange?.();
    },
  };
  const supervisor = openSupervisor(flags, supervisorParts, place);
  trouble.watch(`${directory}/jobs.db`);
  // Removed after the supervisor has closed. Not registered earlier: without the lock on the directory, the cgroups may
  // belong to another server.
  opened.use(place);
  opened.use(supervisor);
  opened.use(onAbort(hurry, () => void supervisor.close({ graceMs: 0 })));
  await supervisor.ready().catch((error) => {
    throw startingErrorOf(error, flags, supervisorParts, place);
  });
  // Aborted during recovery: the processes that an earlier server left have ended, and nothing else has begun.
  if (signal.aborted) return 0;

  // The revoked certificates are saved only now, because only now the directory belongs to this server.
  await memory.save().catch((error) => {
    throw new StartError(`Cannot save the revoked certificates in "${directory}": ${errorMessage(error)}`);
  });
  const auditLog = opened.use(await openAuditLog(`${directory}/audit`, flags, log, metrics?.onAuditWrite));
  const audit = opened.use(new LimitedAudit(auditLog));
  const serverLog = logToAudit(log, audit);
  const parts = { flags, version, started, config, supervisor, audit, log, serverLog, place, metrics };
  const { server, changes } = await startServing(opened, parts);
  serverLog.info(place.cgroups().text);
  if (config.connections.text !== undefined) serverLog.info(config.connections.text);
  for (const text of monitoring?.texts ?? []) serverLog.info(text);
  if (!signal.aborted) {
    const address = formatAddress(server);
    health.report((isServing) => server.setServing(isServing));
    audit.record({ event: "server", text: `listening on ${address}` });
    listening?.({ address, reload: () => changes.nudge(), counts: () => countJobs(supervisor) });
  }
  let stopping: Promise<void> | undefined;
  opened.use(onAbort(signal, () => {
    health.set({ isStopping: true });
    stopping = stoppingText(place, trouble.isGone ? undefined : directory, supervisor).then((text) =>
      serverLog.info(text)
    );
  }));

  // The order of the end: no new work is taken, jobs end or are left, streams deliver the rest, and the audit log is closed.
  const unstopped = await supervisor.run({ signal });
  await stopping;
  if (unstopped > 0) serverLog.error(unstoppedText(place, directory, unstopped));
  await server.shutdown({ graceMs: hurry?.aborted ? 0 : DRAIN_MS });
  await supervisor.close();
  return unstopped;
}

type OpenOptions = SupervisorOptions & { readonly directory: string };

function openSupervisor(flags: Flags, options: OpenOptions, place: JobPlace): Supervisor {
  try {
    return new Supervisor(options);
  } catch (error) {
    throw startingErrorOf(error, flags, options, place);
  }
}

/** Adds the files and directories of this server to an error of the library. */
function startingErrorOf(error: unknown, { limits }: Flags, options: OpenOptions, place: JobPlace): unknown {
  return directoryErrorOf(limitsErrorOf(error, limits, options, place.cgroups().controllers), options.directory);
}

async function countJobs(supervisor: Supervisor) {
  const { running, watchers } = await supervisor.statistics();
  return { runningJobs: running, watchers };
}

/** Opens the engine of the flags. Its library for certificates takes 8 MB, so it loads only for an engine. */
async function openEngineOf(
  flags: Flags,
  config: StartConfig,
  environment: ServerEnvironment,
  log: Logger,
): Promise<Placing | undefined> {
  if (flags.engine === "local" && flags.slurmConf === undefined) return undefined;
  const { openEngine } = await import("./engine_place.ts");
  return await openEngine(flags, config, environment, log);
}
