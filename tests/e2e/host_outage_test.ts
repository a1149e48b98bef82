/** A job host that does not answer is an outage for every command, and the commands say what may still happen. */
import assert from "node:assert/strict";
import { findInstances } from "../../teleportd/host/instance_directory.ts";
import { type Server, startServer, teleport } from "../support/programs.ts";

/** A job host that a test stops. It continues at the latest when the test ends, so that the server can end it. */
async function stoppedHost({ dir }: Server): Promise<Disposable & { continue(): void }> {
  const [host] = (await findInstances(`${dir}/data`)).filter(({ isAlive }) => isAlive);
  const { pid } = host!.info!;
  Deno.kill(pid, "SIGSTOP");
  return { continue: () => Deno.kill(pid, "SIGCONT"), [Symbol.dispose]: () => Deno.kill(pid, "SIGCONT") };
}

Deno.test("run says that a job may still start whose job host hangs, and the job starts when the host continues", async () => {
  await using server = await startServer({ args: ["--cgroup=off"] });
  using host = await stoppedHost(server);
  const { code, stderr } = await teleport(server, "run", "--retry-for", "0s", "--", "sh", "-c", "exit 5");
  assert.equal(code, 255);
  const [, id] = /Job "(\S+)" was not seen to start and may still start: "teleport status/.exec(stderr) ?? [];
  assert.ok(id, stderr);
  assert.match(stderr, /Cannot reach the job host: process \d+ does not answer/);
  host.continue();
  assert.equal((await teleport(server, "wait", id)).code, 5);
});
