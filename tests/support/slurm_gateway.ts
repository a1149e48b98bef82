/** A server whose jobs go to the nodes of a test's Slurm cluster. */
import { eventually } from "./deadline.ts";
import { endHosts, type Server, startServer } from "./programs.ts";
import type { SlurmCluster } from "./slurm_cluster.ts";

/** Shorter than a host may wait between two dials. So a test whose gateway is away for long needs the default. */
const SETTLE = "5s";

/** Gives the options of such a server, and makes the directory for the output on the nodes. */
export async function gatewayArgs(cluster: SlurmCluster, dir: string): Promise<string[]> {
  await Deno.mkdir(`${dir}/spool`, { recursive: true });
  return [
    "--engine=slurm",
    `--slurm-conf=${cluster.conf}`,
    "--node-listen=127.0.0.1:0",
    `--node-spool=${dir}/spool`,
    `--node-settle=${SETTLE}`,
  ];
}

/**
 * Starts such a server. Jobs continue when it stops.
 *
 * @param listen the address of an earlier one; default: a free port
 * @param more further options
 */
export async function startGateway(
  cluster: SlurmCluster,
  dir: string,
  listen = "127.0.0.1:0",
  more: readonly string[] = [],
): Promise<Server> {
  return await startServer({ dir, listen, stopJobs: false, args: [...await gatewayArgs(cluster, dir), ...more] });
}

/** Kills a server, and waits for its end. */
export async function killGateway({ process }: Server): Promise<void> {
  process.kill("SIGKILL");
  await process.status;
}

/** Stops a server, with the job host of its own machine. */
export async function stopGateway(server: Server): Promise<void> {
  await server.stop();
  await endHosts(server.dir);
}

/** Returns the test of the path of a batch script, which has the number of its job: `n1/job00012/slurm_script`. */
function isScript({ directory }: SlurmCluster, handle?: string): (path: string | undefined) => boolean {
  const job = handle === undefined ? "/" : `/job${handle.padStart(5, "0")}/`;
  return (path) => path !== undefined && path.startsWith(`${directory}/`) && path.includes(job);
}

/**
 * Finds the hosts of jobs on the nodes of a cluster: the process of each, without the shell that started it.
 *
 * @param handle the number of one job. Without it, hosts of earlier jobs are found too: each ends after its job
 */
export function nodeHosts(cluster: SlurmCluster, handle?: string): number[] {
  const isOurs = isScript(cluster, handle);
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      return words.includes("node") && words.some(isOurs) && !words[0]?.endsWith("sh") ? [Number(name)] : [];
    } catch {
      return []; // The process has ended meanwhile.
    }
  });
}

/**
 * Finds the step daemons of jobs on the nodes of a cluster: each is the parent of the script that starts a host.
 *
 * @param handle the number of one job
 */
export function stepDaemons(cluster: SlurmCluster, handle?: string): number[] {
  const isOurs = isScript(cluster, handle);
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      const [program, script] = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      if (!program?.endsWith("sh") || !isOurs(script)) return [];
      return Number(/^PPid:\s+(\d+)$/m.exec(Deno.readTextFileSync(`/proc/${name}/status`))?.[1] ?? 0) || [];
    } catch {
      return []; // The process has ended meanwhile.
    }
  });
}

/** Waits until the nodes have neither hosts nor output of jobs. */
export async function nothingOnNodes(cluster: SlurmCluster, dir: string): Promise<void> {
  await eventually(() => nodeHosts(cluster).length === 0, "the end of all hosts of jobs");
  await eventually(() => [...Deno.readDirSync(`${dir}/spool`)].length === 0, "an empty spool");
}
