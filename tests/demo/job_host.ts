/** Ends the job host of the demo, which outlives its server. */
import { StepError } from "./step_error.ts";

/** The directory of the programs. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** How long a job host without jobs may take to end by itself, in milliseconds. */
const END_MS = 1_000;

/**
 * Waits until the job host has ended, as it does when no server is attached and no job runs. After an interruption jobs
 * may run: then this stops them and the host.
 *
 * @param data the data directory
 * @throws {StepError} when the host does not end
 */
export async function endJobHost(data: string): Promise<void> {
  const isLeft = async () => (await Array.fromAsync(Deno.readDir(`${data}/hosts`)).catch(() => [])).length > 0;
  const end = performance.now() + END_MS;
  while (await isLeft() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  if (!await isLeft()) return;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-A", "server.ts", "host", "stop", "--grace", "0s", "--data", data],
    cwd: ROOT,
    stdin: "null",
  }).output();
  if (code !== 0) throw new StepError(`The job host could not be stopped:\n${new TextDecoder().decode(stderr)}`);
}
