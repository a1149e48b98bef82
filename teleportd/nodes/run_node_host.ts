/** Runs a node host from its start until its job is over and its gateway knows that. */
import { join } from "node:path";
import { errorMessage } from "../../base/error_message.ts";
import type { Logger } from "../../base/logger.ts";
import { onAbort } from "../../base/on_abort.ts";
import { dialGateway, NodeJobHost } from "../../job_host.ts";
import { openCgroups } from "../cgroups.ts";
import { defectFields, defectText } from "../log/error_fields.ts";
import { StartError } from "../start_error.ts";
import { connectGateway } from "./connect_gateway.ts";
import type { NodeConfig } from "./node_config.ts";

/** The file with the name of the host process. A process that is killed before it is written has not dialed. */
const RUN = "run";
/** The file of a process that a gateway has accepted. Without it, the process has begun nothing. */
const ACCEPTED = "accepted";

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
  // An engine may run a job twice, also on one machine.
  const data = join(config.spool, `teleport-${config.id}-${batch}`);
  const { run, recovers } = await openSpool(data, controls.recovers);
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
  const noteLink = noteLinks(config, log);
  let attempt = 0;
  const refused = await dialGateway({
    host,
    info: host.info,
    dial: { run, node, ...(handle === undefined ? {} : { handle }), ...(recovers ? { recovers: true } : {}) },
    connect: (signal) => connectGateway(config, attempt++, signal),
    onLinked: (isLinked, why) => {
      if (isLinked) Deno.writeTextFileSync(join(data, ACCEPTED), "");
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

/** The name of a host process, and whether an earlier process may have begun the job. */
interface HostRun {
  readonly run: string;
  readonly recovers: boolean;
}

/** Makes the spool, or finds the one of an earlier process. */
async function openSpool(data: string, recovers: boolean): Promise<HostRun> {
  if (recovers) {
    const run = await Deno.readTextFile(join(data, RUN)).catch(() => undefined);
    const wasAccepted = await Deno.stat(join(data, ACCEPTED)).then(() => true, () => false);
    if (run !== undefined && wasAccepted) return { run, recovers };
    await Deno.remove(data, { recursive: true }).catch(() => {}); // It is not there.
    // A gateway that has accepted the earlier process without its knowledge accepts only its name.
    if (run !== undefined) return await makeSpool(data, run);
  }
  return await makeSpool(data, crypto.getRandomValues(new Uint8Array(16)).toHex());
}

async function makeSpool(data: string, run: string): Promise<HostRun> {
  await Deno.mkdir(data, { mode: 0o700 }).catch((cause) => {
    const hint = "choose a directory of all nodes with --node-spool";
    throw new StartError(`Cannot make "${data}" for the output: ${errorMessage(cause)}: ${hint}`, { cause });
  });
  await Deno.writeTextFile(join(data, RUN), run, { mode: 0o600, createNew: true });
  return { run, recovers: false };
}
