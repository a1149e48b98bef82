/** A job host of a service manager starts another one, which becomes the main process of the service. */
import assert from "node:assert/strict";
import { connectHost } from "../../job_host.ts";
import type { HostEvents } from "../../mod.ts";
import { findInstance, findInstances } from "../../teleportd/host/instance_directory.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { listenForStates } from "../support/notify_socket.ts";
import { teleportd } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

Deno.test("a successor has no parent among the job hosts, and the manager hears of both ends", async () => {
  await using dir = await tempDir();
  const data = `${dir.path}/data`;
  using socket = listenForStates(`${dir.path}/notify`);
  const first = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "server.ts", "host", "run", "--stay", "--instance=first", "--data", data, "--cgroup=off"],
    cwd: ROOT,
    env: { NOTIFY_SOCKET: socket.path },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    assert.equal(await socket.receive(), "READY=1");
    const link = await connectHost(`${data}/hosts/first`);
    const { info } = await findInstance(data, await link.succeed());
    assert.ok(info);
    const state = await socket.receiveUntil(/^MAINPID=/);
    assert.equal(state.at(-1), `MAINPID=${info.pid}`);
    const status = await Deno.readTextFile(`/proc/${info.pid}/status`);
    assert.doesNotMatch(status, new RegExp(`^PPid:\\t(${first.pid}|${Deno.pid})$`, "m"));

    // The first one is not the main process any more, so its end changes nothing.
    await link.close();
    first.kill("SIGTERM");
    assert.equal((await deadline(first.status, "the end of the first job host")).code, 0);
    // The successor is. It is the last one, so it hands over to nobody.
    const { code, stdout } = await teleportd("host", "stop", "--data", data);
    assert.deepEqual([code, stdout.split("\n").length], [0, 2]);
    const rest = await socket.receiveUntil(/^STOPPING=1/);
    assert.deepEqual(rest.filter((state) => !state.startsWith("STATUS=")).length, 1, String(rest));
  } finally {
    await teleportd("host", "stop", "--data", data, "--grace", "0s");
  }
});

/** Starts a job host as `HostLink.succeed` does. Resolves when it is ready. */
async function succeedTo(data: string, instance: string, isRead: boolean): Promise<Deno.ChildProcess> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "-A",
      "server.ts",
      "host",
      "run",
      "--stay",
      "--instance",
      instance,
      "--data",
      data,
      "--cgroup=off",
    ],
    cwd: ROOT,
    env: { TELEPORT_SUCCESSOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  if (isRead) {
    // It says that it is ready after others can find it.
    const reader = process.stdout.getReader();
    assert.equal((await deadline(reader.read(), "a successor that is ready")).done, false);
    await reader.cancel();
  } else {
    // The host that started it has given up.
    await process.stdout.cancel();
    await eventually(async () => (await findInstance(data, instance)).info !== undefined, "a successor that is ready");
  }
  return process;
}

Deno.test("a successor that was ready too late ends by itself, unless a server uses it", async () => {
  await using dir = await tempDir();
  const data = `${dir.path}/data`;
  try {
    const inTime = await succeedTo(data, "in-time", true);
    const used = await succeedTo(data, "used", false);
    const link = await connectHost(`${data}/hosts/used`);
    await link.attach({} as HostEvents);
    await link.close();
    const late = await succeedTo(data, "late", false);
    assert.equal((await deadline(late.status, "the end of the late successor")).code, 0);
    const left = (await findInstances(data)).map(({ instance, isAlive }) => [instance, isAlive]);
    assert.deepEqual(left.sort(), [["in-time", true], ["used", true]]);
    const { code } = await teleportd("host", "stop", "--data", data);
    assert.equal(code, 0);
    for (const process of [inTime, used]) assert.equal((await process.status).code, 0);
  } finally {
    await teleportd("host", "stop", "--data", data, "--grace", "0s");
  }
});
