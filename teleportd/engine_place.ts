/** The engine that places jobs on other machines, as the flags name it. */
import type { Logger } from "../base/logger.ts";
import { defined } from "../base/defined.ts";
import { errorMessage } from "../base/error_message.ts";
import { type Placing, SlurmEngine } from "../mod.ts";
import { parseAddress } from "../rpc/shared/address.ts";
import { DEFAULT_NODE_LISTEN, DEFAULT_NODE_SPOOL } from "./defaults.ts";
import type { Flags } from "./flags.ts";
import { openNodeGate } from "./nodes/gate.ts";
import type { ServerEnvironment } from "./server_environment.ts";
import type { StartConfig } from "./start_config.ts";
import { StartError } from "./start_error.ts";

/** The variables of this process that client commands and node hosts get. */
const VARIABLES = ["PATH", "HOME", "LANG", "DENO_DIR", "SLURM_CONF"];

/**
 * Opens the engine that the flags name. It accepts no hosts yet.
 *
 * @throws {StartError} when the flags do not go together
 */
export async function openEngine(
  flags: Flags,
  { directory }: Pick<StartConfig, "directory">,
  { jobHost, environment }: Pick<ServerEnvironment, "jobHost" | "environment">,
  log: Logger,
): Promise<Placing> {
  if (flags.jobHost === "none" || jobHost === undefined) {
    throw new StartError("Cannot use --engine slurm with --job-host none: jobs of this machine need a job host", {
      code: "USAGE",
    });
  }
  const own = environment();
  const env = Object.fromEntries(
    VARIABLES.flatMap((name) => typeof own[name] === "string" ? [[name, own[name]] as const] : []),
  );
  const { host: hostname, port } = parseAddress(flags.nodeListen ?? DEFAULT_NODE_LISTEN);
  const { slurmConf: conf, slurmPartition: partition, slurmAccount: account } = flags;
  const engine = new SlurmEngine({ ...defined({ conf }), env });
  // A controller that does not answer must not delay the start.
  void engine.facts().catch((error) => [errorMessage(error)]).then((facts) => facts.forEach((fact) => log.warn(fact)));
  return {
    engine,
    isDefault: flags.engine === "slurm",
    defaults: defined({ partition, account }),
    ...defined({ settleMs: flags.nodeSettle }),
    gate: await openNodeGate({
      data: await Deno.realPath(directory),
      listen: { hostname, port },
      addresses: flags.nodeAddress === undefined ? [] : [flags.nodeAddress],
      command: jobHost.command,
      spool: flags.nodeSpool ?? DEFAULT_NODE_SPOOL,
      log,
    }),
  };
}
