/** The command of the image: with a job that ignores SIGTERM, it ends before Docker kills the container. */
import assert from "node:assert/strict";
import { startServer } from "../support/programs.ts";
import { clientOf, living, startUp } from "../support/server_process.ts";

/** Docker's own between SIGTERM and SIGKILL. */
const DOCKER_STOP_MS = 10_000;

/** The options of the image's command, but for where things are. */
async function imageOptions(): Promise<string[]> {
  const dockerfile = await Deno.readTextFile(new URL("../../Dockerfile", import.meta.url));
  const command = /^CMD (\[[^\]]*\])$/m.exec(dockerfile)?.[1] ?? "";
  const words: string[] = JSON.parse(command.replaceAll("\\\n", ""));
  const places = ["--listen", "--certs", "--data"];
  return words.filter((word, index) => !places.includes(word) && !places.includes(words[index - 1] ?? ""));
}

Deno.test("the image's command ends in order within the time that docker stop gives it", async () => {
  const args = await imageOptions();
  assert.ok(args.length > 0);
  await using server = await startServer({ args });
  await using client = await clientOf(server);
  const id = await startUp(client.calls, "trap '' TERM; echo up; while :; do sleep 1; done");
  const asked = performance.now();
  server.process.kill("SIGTERM");
  assert.equal((await server.process.status).code, 0);
  const tookMs = performance.now() - asked;
  assert.ok(tookMs < DOCKER_STOP_MS, `${tookMs} ms`);
  assert.deepEqual(living(id), []);
});
