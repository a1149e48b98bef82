/** Runs a node host from its start until its job is over and its gateway knows that. */
import { join } from "node:path";
import { errorMessage } from "../../base/error_message.ts";
import type { Logger } from "../../base/logger.ts";
import { dialGateway, NodeJobHost } from "../../job_host.ts";
import { openCgroups } from "../cgroups.ts";
import { defectFields, defectText } from "../log/error_fields.ts";
import { StartError } from "../start_error.ts";
import { connectGateway } from "./connect_gateway.ts";
import type { NodeConfig } from "./node_config.ts";

/** How the caller and a node host communicate. */
export interface NodeControls {
  readonly version: string;
  /** True when an earlier process of this job has been killed. */
  readonly recovers: boolean;
  /** The machine, as the engine names it. */
  readonly node: string;
  /** The number that the engine gave this job. */
  readonly handle?: string;
  /** The variables of the engine for the job. */
  readonly variables: Readonly<Record<string, string>>;
  /** Stops the job, and then the host. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Runs a node host.
 *
 * @throws {StartError} when there is no place for its output, or the gateway has another version
 */
export async function runNodeHost(config: NodeConfig, controls: NodeControls): Promise<void> {
  const { version, recovers, node, handle, signal, log } = controls;
  const data = join(config.spool, `teleport-${config.id}`);
  const run = await openSpool(data, recovers);
  if (run === undefined) return log.info("No host process has begun here: nothing is left");
  // Each process of a host has an instance of its own in the spool, where the next one finds the ends of this one.
  const instance = recovers ? `${config.id}-r` : config.id;
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
  const stop = () => {
    log.info("Stopping: the job is being ended");
    if (hasBegun) void host.stopJobs(undefined);
    else ended.abort();
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  let attempt = 0;
  const refused = await dialGateway({
    host,
    info: host.info,
    dial: { run, node, ...(handle === undefined ? {} : { handle }), ...(recovers ? { recovers: true } : {}) },
    connect: (signal) => connectGateway(config, attempt++, signal),
    onLinked: noteLinks(config, log),
    onError: (error) => log.error(`Internal error of the job host: ${defectText(error)}`, defectFields(error)),
    signal: ended.signal,
  });
  signal.removeEventListener("abort", stop);
  if (refused !== undefined) {
    log.info(`The gateway refuses this host: ${refused}`);
    await host.stopJobs(0);
  }
  await Deno.remove(data, { recursive: true }).catch(() => {}); // It is only disk space.
  if (refused === "PROTOCOL") {
    throw new StartError(`Cannot work for the gateway: it has another version than ${version} on this node`);
  }
}

/**
 * Returns a function that logs changes of the link. A host dials for ever, and its log is bounded: a reason is logged once
 * until there is a link.
 */
function noteLinks({ addresses }: NodeConfig, log: Logger): (isLinked: boolean, why?: string) => void {
  let last: string | undefined;
  return (isLinked, why) => {
    if (isLinked) last = undefined;
    else if (why !== last) log.warn(`No link to the gateway at ${addresses.join(", ")}: ${last = why}`);
  };
}

/**
 * Makes the spool, or finds the one of an earlier process.
 *
 * @returns the name of the host process; undefined when there is nothing to recover
 */
async function openSpool(data: string, recovers: boolean): Promise<string | undefined> {
  const path = join(data, "run");
  if (recovers) return await Deno.readTextFile(path).catch(() => undefined);
  await Deno.mkdir(data, { mode: 0o700 }).catch((cause) => {
    const hint = "choose a directory of all nodes with --node-spool";
    throw new StartError(`Cannot make "${data}" for the output: ${errorMessage(cause)}: ${hint}`, { cause });
  });
  const run = crypto.getRandomValues(new Uint8Array(16)).toHex();
  await Deno.writeTextFile(path, run, { mode: 0o600, createNew: true });
  return run;
}
