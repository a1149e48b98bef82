/** Runs a node host from its start until its job is over and its gateway knows that. */
import type { Logger } from "../../base/logger.ts";
import { onAbort } from "../../base/on_abort.ts";
import { dialGateway, NodeJobHost } from "../../job_host.ts";
import { openCgroups } from "../cgroups.ts";
import { defectFields, defectText } from "../log/error_fields.ts";
import { StartError } from "../start_error.ts";
import { connectGateway } from "./connect_gateway.ts";
import { linkLog } from "./link_log.ts";
import type { NodeConfig } from "./node_config.ts";
import { noteAccepted, openSpool, removeAbandoned } from "./spool.ts";

/** How the caller and a node host communicate. */
export interface NodeControls {
  readonly version: string;
  /** True when an earlier process of this batch has been killed. */
  readonly recovers: boolean;
  /** A number that the processes of one batch have in common. Another one on this machine has another number. */
  readonly batch: number;
  /** The machine, as the engine names it. */
  readonly node: string;
  /** The number that the engine gave this job. */
  readonly handle?: string;
  /** The variables of the engine for the job. */
  readonly variables: Readonly<Record<string, string>>;
  /** Stops the job, and then the host. */
  readonly signal: AbortSignal;
  /** Kills the job. */
  readonly hurry: AbortSignal;
  readonly log: Logger;
}

/**
 * Runs a node host.
 *
 * @throws {StartError} when it cannot make the directory of its output, or the gateway runs another version
 */
export async function runNodeHost(config: NodeConfig, controls: NodeControls): Promise<void> {
  const { version, batch, node, handle, signal, hurry, log } = controls;
  const spool = await openSpool(config, batch, controls.recovers);
  const { directory: data, run, recovers } = spool;
  // Each process of a host has an instance of its own in the spool, where the next one finds the ends of this one.
  const instance = recovers ? `${config.id}-${Deno.pid}` : config.id;
  await using opened = new AsyncDisposableStack();
  const { cgroups, text: cgroupText } = await openCgroups("off", data, instance);
  opened.use(cgroups);
  const ended = new AbortController();
  let hasBegun = false;
  const host = opened.use(
    new NodeJobHost({
      outputDirectory: `${data}/output`,
      hostsDirectory: `${data}/hosts`,
      instance,
      version,
      cgroupText,
      variables: controls.variables,
      onJobChange: () => hasBegun = true,
      onRetire: (isRetired) => {
        if (isRetired && !host.hasJobs) ended.abort();
      },
      onIdle: () => {
        if (hasBegun && !host.hasJobs) ended.abort();
      },
      onError: (error) => log.error(`Internal error of the job host: ${defectText(error)}`, defectFields(error)),
    }),
  );
  const stop = (graceMs?: number) => {
    log.info("Stopping: the job is being ended");
    if (hasBegun || recovers) void host.stopJobs(graceMs);
    else ended.abort();
  };
  opened.use(onAbort(signal, () => stop()));
  // The host itself stays, to report the end. Without it, the processes of the job would run on.
  opened.use(onAbort(hurry, () => stop(0)));
  const noteLink = linkLog(config.addresses, log);
  let attempt = 0;
  const refused = await dialGateway({
    host,
    info: host.info,
    dial: { run, node, ...(handle === undefined ? {} : { handle }), ...(recovers ? { recovers: true } : {}) },
    connect: (signal) => connectGateway(config, attempt++, signal),
    onLinked: (isLinked, why) => {
      if (isLinked) noteAccepted(spool);
      noteLink(isLinked, why);
    },
    onError: (error) => log.error(`Internal error of the job host: ${defectText(error)}`, defectFields(error)),
    signal: ended.signal,
  });
  if (refused !== undefined) {
    log.info(`The gateway refuses this host: ${refused}`);
    await host.stopJobs(0);
  }
  await Deno.remove(data, { recursive: true }).catch(() => {}); // It is only disk space.
  await removeAbandoned(config.spool);
  if (refused === "PROTOCOL") {
    throw new StartError(`Cannot work for the gateway: it has another version than ${version} on this node`);
  }
}
