/** The command of the image: with a job that ignores SIGTERM, it ends before Docker kills the container. */
import assert from "node:assert/strict";
import { type Server, startServer } from "../support/programs.ts";
import { clientOf, living, startUp } from "../support/server_process.ts";
import { deadline } from "../support/deadline.ts";

/** The default time of Docker between SIGTERM and SIGKILL, in milliseconds. */
const DOCKER_STOP_MS = 10_000;

/** The options of the image's command, without the directories. */
async function imageOptions(): Promise<string[]> {
  const dockerfile = await Deno.readTextFile(new URL("../../Dockerfile", import.meta.url));
  const command = /^ENTRYPOINT (\[[^\]]*\])$/m.exec(dockerfile)?.[1] ?? "";
  const words: string[] = JSON.parse(command.replaceAll("\\\n", ""));
  const places = ["--listen", "--certs", "--data"];
  const options = words.slice(words.indexOf("teleportd") + 1);
  return options.filter((word, index) => !places.includes(word) && !places.includes(options[index - 1] ?? ""));
}

/** Sends SIGTERM and returns the time until the end of the server, in milliseconds. */
async function stopped({ process }: Server): Promise<number> {
  const asked = performance.now();
  process.kill("SIGTERM");
  assert.equal((await deadline(process.status, "the end of the process")).code, 0);
  return performance.now() - asked;
}

Deno.test("the command of the image ends in order within the time of docker stop", async () => {
  const args = await imageOptions();
  assert.ok(args.length > 0);
  await using server = await startServer({ args });
  await using client = await clientOf(server);
  const id = await startUp(client.calls, "trap '' TERM; echo up; while :; do sleep 1; done");
  // A busy machine delays both servers.
  await using idle = await startServer({ args });
  const [tookMs, idleMs] = await Promise.all([stopped(server), stopped(idle)]);
  assert.ok(tookMs - idleMs < DOCKER_STOP_MS - 1_000, `${tookMs} ms, ${idleMs} ms without a job`);
  assert.deepEqual(living(id), []);
});
