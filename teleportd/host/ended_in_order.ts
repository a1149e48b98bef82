/** Tells a job host that has ended in order from one that was killed. */
import { socketPath } from "../../job_host.ts";

/**
 * Returns true when a host that does not live has ended in order. Then no process of its jobs is left, and its directory
 * has the ends of jobs that no server has stored. Such a host removes its socket.
 */
export async function hasEndedInOrder({ path }: { readonly path: string }): Promise<boolean> {
  return await Deno.lstat(socketPath(path)).then(() => false, (error) => error instanceof Deno.errors.NotFound);
}
