/** The program `teleportd host node`: the host of one job on a machine of an engine, started by a script of a gateway. */
import { defined } from "../../base/defined.ts";
import { keepFromJobs } from "../../job_host.ts";
import { EXIT_DEFECT, EXIT_FAILED, EXIT_OK } from "../exit_code.ts";
import { defectFields, defectText } from "../log/error_fields.ts";
import { ServerLog } from "../log/server_log.ts";
import { readNodeScript } from "../nodes/node_config.ts";
import { runNodeHost } from "../nodes/run_node_host.ts";
import { ignoreHangup } from "../process/ignored_hangup.ts";
import { giveUpNewPrivileges } from "../process/new_privileges.ts";
import { listenForStopSignals } from "../process/stop_signals.ts";
import { handleUncaught } from "../process/uncaught.ts";
import { StartError } from "../start_error.ts";
import type { ProcessAccess } from "./process_access.ts";

/** The variables of an engine that a job gets: who it is, and its share of the machine. */
const JOB_VARIABLES = [
  "SLURM_CLUSTER_NAME",
  "SLURM_CPUS_ON_NODE",
  "SLURM_CPUS_PER_TASK",
  "SLURM_JOB_GPUS",
  "SLURM_JOB_ID",
  "SLURM_JOB_NAME",
  "SLURM_JOB_NODELIST",
  "SLURM_JOB_PARTITION",
  "SLURM_MEM_PER_NODE",
  "SLURMD_NODENAME",
  "CUDA_VISIBLE_DEVICES",
  "GPU_DEVICE_ORDINAL",
  "ROCR_VISIBLE_DEVICES",
];

/**
 * Runs the host of one job to its end.
 *
 * @param path the script that has started it
 * @throws {StartError} when the script has no configuration
 */
export async function runNodeProgram(path: string, recovers: boolean, access: ProcessAccess): Promise<number> {
  const config = readNodeScript(await Deno.readTextFile(path).catch(() => ""));
  if (config === undefined) throw new StartError(`Cannot read the configuration in "${path}": a gateway writes it`);
  const log = new ServerLog(Deno.stderr, { level: "warn", format: "text" });
  // Slurm signals the script, which passes SIGTERM on, and the host too. So a second SIGTERM has no meaning.
  using signals = listenForStopSignals(() => {});
  const hurry = new AbortController();
  using _hangup = ignoreHangup();
  const { request } = signals;
  using uncaught = handleUncaught({ log, stop: request, hurry: () => hurry.abort() });
  try {
    keepFromJobs();
    giveUpNewPrivileges();
    const values = JOB_VARIABLES.map((name) => [name, access.variable(name)] as const);
    const handle = access.variable("SLURM_JOB_ID");
    await runNodeHost(config, {
      version: access.version,
      recovers,
      batch: Deno.ppid,
      node: access.variable("SLURMD_NODENAME") ?? "",
      ...defined({ handle }),
      variables: Object.fromEntries(values.filter((entry): entry is [string, string] => entry[1] !== undefined)),
      signal: signals.stop,
      hurry: hurry.signal,
      log,
    });
    return uncaught.hasException ? EXIT_DEFECT : EXIT_OK;
  } catch (error) {
    if (error instanceof StartError) {
      log.error(error.message);
      return EXIT_FAILED;
    }
    log.error(`Internal error: ${defectText(error)}`, defectFields(error));
    return EXIT_DEFECT;
  } finally {
    await log.close();
  }
}
