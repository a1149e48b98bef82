/** The working directory of jobs that set none, as an option of the server. */
import assert from "node:assert/strict";
import { startServer, teleport } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("a job runs in the server's --job-dir, unless it names another directory", async () => {
  await using dir = await tempDir();
  await using server = await startServer({ args: ["--job-dir", dir.path] });
  assert.equal((await teleport(server, "run", "pwd")).stdout, `${await Deno.realPath(dir.path)}\n`);
  assert.equal((await teleport(server, "run", "--cwd", "/usr", "pwd")).stdout, "/usr\n");
});

Deno.test("a job says that the server's --job-dir was removed", async () => {
  await using dir = await tempDir();
  const jobs = `${dir.path}/jobs`;
  await Deno.mkdir(jobs);
  await using server = await startServer({ args: ["--job-dir", jobs] });
  await Deno.remove(jobs);
  const { code, stderr } = await teleport(server, "run", "pwd");
  assert.equal(code, 126);
  assert.match(stderr, /jobs/);
});

Deno.test("teleportd neither starts nor passes --check-config without the directory of --job-dir", async () => {
  await using dir = await tempDir();
  const certs = ["--certs", `${dir.path}/certs`, "--data", `${dir.path}/data`, "--init-certs"];
  for (const check of [[], ["--check-config"]]) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "server.ts", "--listen", "127.0.0.1:0", ...certs, "--job-dir", "/no/such", ...check],
      cwd: new URL("../../", import.meta.url).pathname,
      stdin: "null",
    }).output();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stderr),
      /Cannot use the job directory "\/no\/such": it does not exist; make it/,
    );
  }
});
