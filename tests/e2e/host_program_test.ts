/** The program `teleportd host`: a job host that runs, is listed and is stopped. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import { teleportd } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Starts a job host by hand and waits until it is ready. Disposal ends it. */
async function startHost(data: string, ...args: string[]) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "server.ts", "host", "run", "--data", data, "--cgroup=off", ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [stdout, stderr] = [readText(process.stdout), readText(process.stderr)];
  await stdout.growing.when(() => stdout.growing.text.includes("\n"), "the line of a job host that is ready");
  const instance = /^ready (\w+)\n$/.exec(stdout.growing.text)?.[1] ?? "";
  assert.notEqual(instance, "");
  const ended = async () => {
    const { code } = await deadline(process.status, () => `the end of a job host that said: ${stderr.growing.text}`);
    await Promise.all([stdout.ended, stderr.ended]);
    return code;
  };
  return {
    instance,
    process,
    stderr: () => stderr.growing.text,
    ended,
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // It has ended.
      }
      await ended();
    },
  };
}

async function list(data: string): Promise<Record<string, unknown>[]> {
  const { code, stdout } = await teleportd("host", "ls", "--data", data, "--output", "json");
  assert.equal(code, 0);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

Deno.test("host ls shows a job host, and host stop ends it and removes its directory", async () => {
  await using dir = await tempDir();
  const data = `${dir.path}/data`;
  const absent = await teleportd("host", "ls", "--data", data);
  assert.deepEqual([absent.code, absent.stdout], [1, ""]);
  assert.equal(absent.stderr, `teleportd: Cannot list job hosts: "${data}" is not a data directory\n`);
  await using host = await startHost(data, "--stay");
  const { pid } = host.process;
  const [{ started_at, version, ...rest } = {}, ...others] = await list(data);
  assert.deepEqual([rest, others], [{ instance: host.instance, state: "alone", pid, running_jobs: 0 }, []]);
  assert.match(`${started_at} ${version}`, /^\d{4}-\d\d-\d\dT\S+Z \d+\.\d+\.\d+$/);
  const { code, stdout, stderr } = await teleportd("host", "stop", "--data", data);
  assert.deepEqual([code, stdout], [0, `${host.instance}\n`]);
  assert.match(stderr, new RegExp(`^Stopping the job host "${host.instance}", process ${pid}, jobs running: 0\n$`));
  assert.equal(await host.ended(), 0);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${data}/hosts`)), []);
  const again = await teleportd("host", "stop", "--data", data);
  assert.deepEqual([again.code, again.stdout, again.stderr], [
    0,
    "",
    `No job host runs for the data directory "${data}"\n`,
  ]);
  const wrong = await teleportd("host", "stop", "--data", `${data}-wrong`);
  assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
  assert.equal(wrong.stderr, `teleportd: Cannot stop job hosts: "${data}-wrong" is not a data directory\n`);
});

Deno.test("host ls tells a job host that hangs from one that has died", async () => {
  await using dir = await tempDir();
  const data = `${dir.path}/data`;
  await using host = await startHost(data, "--stay");
  host.process.kill("SIGSTOP");
  assert.deepEqual((await list(data)).map(({ state }) => state), ["hung"]);
  host.process.kill("SIGKILL");
  await deadline(host.process.status, "the end of the job host");
  assert.deepEqual((await list(data)).map(({ state }) => state), ["dead"]);
});

Deno.test("host run ends in order by SIGTERM, and lives on after SIGHUP", async () => {
  await using dir = await tempDir();
  await using host = await startHost(`${dir.path}/data`);
  host.process.kill("SIGHUP");
  assert.deepEqual((await list(`${dir.path}/data`)).map(({ state }) => state), ["alone"]);
  host.process.kill("SIGTERM");
  assert.equal(await host.ended(), 0);
});

Deno.test("host run reports in one line why it cannot start", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/data`, "a file");
  const { code, stdout, stderr } = await teleportd("host", "run", "--data", `${dir.path}/data`);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^teleportd: Cannot make the data directory [^\n]+\n$/);
  await Deno.mkdir(`${dir.path}/open`);
  await Deno.chmod(`${dir.path}/open`, 0o777);
  const open = await teleportd("host", "run", "--stay", "--data", `${dir.path}/open/data`);
  assert.deepEqual([open.code, open.stdout], [1, ""]);
  assert.match(open.stderr, /^teleportd: Cannot trust "[^"]+\/open": every user can change it[^\n]*\n$/);
  const usage = await teleportd("host", "run", "--grace", "1s");
  assert.deepEqual([usage.code, usage.stderr.split("\n")[0]], [2, "teleportd: unknown option '--grace'"]);
});

Deno.test("host run continues when the program that started it no longer waits for it", async () => {
  await using dir = await tempDir();
  const data = `${dir.path}/data`;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "server.ts", "host", "run", "--stay", "--data", data, "--cgroup=off"],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = readText(process.stderr);
  try {
    await process.stdout.cancel();
    await stderr.growing.when(() => stderr.growing.text.includes(" is ready"), "a job host that is ready");
    const { code, stdout } = await teleportd("host", "stop", "--data", data);
    assert.deepEqual([code, stdout.split("\n").length], [0, 2]);
    assert.equal((await deadline(process.status, "the end of the job host")).code, 0);
  } finally {
    await teleportd("host", "stop", "--data", data);
    await stderr.ended;
  }
});
