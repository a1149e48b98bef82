/** Wrong clocks of a client and of a server, made with faketime(1), and an end time in the future. */
import assert from "node:assert/strict";
import { spawnServer, startServer, teleport, teleportOk } from "../support/programs.ts";
import { needing } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";
import { deadline, eventually } from "../support/deadline.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The library that faketime(1) loads. The program itself would be the parent of the process that a test starts. */
const library = await new Deno.Command("faketime", { args: ["-f", "+0", "printenv", "LD_PRELOAD"], stderr: "null" })
  .output().then(({ stdout }) => new TextDecoder().decode(stdout).trim(), () => "");

/** Gives the beginning of a command line whose program has a clock ahead of time, with correct timers. */
const ahead = (time: string) => ["env", `LD_PRELOAD=${library}`, `FAKETIME=${time}`, "FAKETIME_DONT_FAKE_MONOTONIC=1"];

Deno.test({
  ...needing("faketime", "teleport with a clock one week ahead finds recent jobs, and removes none of them"),
  async fn() {
    await using server = await startServer();
    const id = await teleportOk(server, "run", "-d", "--", "echo", "fresh");
    await teleportOk(server, "wait", id);
    const run = async (...args: string[]) => {
      const [env = "", ...begin] = ahead("+7d");
      const { code, stdout, stderr } = await new Deno.Command(env, {
        args: [...begin, Deno.execPath(), "run", "--quiet", "--no-prompt", "-P=cli", "cli.ts", ...args],
        cwd: ROOT,
        env: { TELEPORT_ADDRESS: server.address, TELEPORT_CERTS: `${server.dir}/certs`, TELEPORT_IDENTITY: "admin" },
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    assert.equal(await run("rm", "--ended", "--until", "6d"), "");
    assert.equal(await run("list", "--quiet", "--since", "1h"), `${id}\n`);
    assert.equal(await run("list", "--quiet", "--ended-since", "1h", "--limit", "1"), `${id}\n`);
    assert.equal(await run("logs", "--since", "1h", id), "fresh\n");
    assert.equal(await run("logs", "--until", "1h", id), "");
    assert.equal(await run("list", "--quiet", "--until", "1h"), "");
  },
});

Deno.test({
  ...needing("faketime", "teleportd with a clock 40 days ahead removes no job, and logs why"),
  async fn() {
    await using temporary = await tempDir();
    const dir = temporary.path;

    let id: string;
    {
      await using server = await startServer({ dir });
      id = await teleportOk(server, "run", "-d", "--", "echo", "kept");
      await teleportOk(server, "wait", id);
    }
    {
      const { process } = spawnServer({ dir, starter: ahead("+40d") });
      const log = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      while (!/^listening on .*$/m.test(text)) {
        const { done, value } = await deadline(log.read(), "output");
        assert.ok(!done, text);
        text += value;
      }
      assert.match(
        text,
        / warn the clock is 40\.0 days ahead of the last known time: ended jobs are not removed/m,
      );
      process.kill("SIGTERM");
      while (!(await deadline(log.read(), "output")).done);
      assert.equal((await deadline(process.status, "the end of the process")).code, 0);
    }
    await using server = await startServer({ dir });
    assert.equal(await teleportOk(server, "logs", id), "kept");
  },
});

Deno.test("teleport logs -f --until ends at that time, and the job continues", async () => {
  await using server = await startServer();
  const id = await teleportOk(server, "run", "-d", "--", "sh", "-c", "echo up; exec sleep 1000");
  await eventually(async () => await teleportOk(server, "logs", id) === "up", "the output of the job");
  const until = new Date(Date.now() + 2_000);
  const { code, stdout, stderr } = await teleport(server, "logs", "-f", "--until", until.toISOString(), id);
  assert.deepEqual([code, stdout, stderr], [0, "up\n", ""]);
  assert.ok(Date.now() >= until.getTime());
  assert.match(await teleportOk(server, "status", id), /RUNNING/);
  // A time in the past ends at once.
  assert.equal(await teleportOk(server, "logs", "-f", "--until", "0s", id), "up");
});
