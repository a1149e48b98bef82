/** A Slurm cluster of two nodes on this machine, and a server that gives it the jobs that name no engine. */
import { gatewayArgs } from "../../tests/support/slurm_gateway.ts";
import { type SlurmCluster, slurmCluster } from "../../tests/support/slurm_cluster.ts";
import { type Stage, startTeleportd, type Teleportd } from "../stage.ts";

/** The place of the measurements with Slurm. */
export interface SlurmPlace extends AsyncDisposable {
  readonly cluster: SlurmCluster;
  readonly teleportd: Teleportd;
}

/** Brings up the cluster and the server. */
export async function startSlurm(stage: Stage): Promise<SlurmPlace> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await slurmCluster());
  const dir = await Deno.makeTempDir({ dir: stage.dir, prefix: "slurm_" });
  const teleportd = stack.use(await startTeleportd(stage, { options: await gatewayArgs(cluster, dir) }));
  const kept = stack.move();
  return { cluster, teleportd, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
