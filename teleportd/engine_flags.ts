/** The options of `teleportd` for an engine that places jobs on other machines. */
import { type Command, Option } from "commander";
import { DEFAULT_NODE_LISTEN } from "./defaults.ts";
import { durationParser } from "./flag_values.ts";

/** The longest `--node-settle`, in milliseconds. */
const MAX_SETTLE_MS = 3_600_000;

/** The parsed options. */
export interface EngineFlags {
  /** Where jobs run that name no engine. */
  readonly engine: "local" | "slurm";
  readonly slurmConf?: string;
  readonly slurmPartition?: string;
  readonly slurmAccount?: string;
  /** HOST:PORT. */
  readonly nodeListen?: string;
  /** HOST:PORT. */
  readonly nodeAddress?: string;
  readonly nodeSpool?: string;
  /** Milliseconds. */
  readonly nodeSettle?: number;
}

/** Adds the options to a program. */
export function addEngineOptions(program: Command): void {
  program
    .addOption(
      new Option("--engine <where>", "where jobs run that name no engine: on this machine, or on a cluster of Slurm")
        .choices(["local", "slurm"]).default("local"),
    )
    .option("--slurm-conf <file>", "configuration of Slurm (default: that of its programs)")
    .option("--slurm-partition <name>", "partition of jobs that name none (default: that of Slurm)")
    .option("--slurm-account <name>", "account of jobs (default: that of Slurm)")
    .option("--node-listen <host:port>", `address for the hosts of jobs on nodes (default: ${DEFAULT_NODE_LISTEN})`)
    .option("--node-address <host:port>", "address of this server as nodes reach it (default: its name)")
    .option("--node-spool <dir>", "directory on the nodes for the output that is not delivered yet (default: /tmp)")
    .option(
      "--node-settle <duration>",
      "how long Slurm must say the same of a job without a host until that is its end (default: 30s)",
      durationParser("--node-settle", MAX_SETTLE_MS),
    );
}
