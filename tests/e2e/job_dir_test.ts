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

Deno.test("a job says that the server's --job-dir is missing", async () => {
  await using dir = await tempDir();
  await using server = await startServer({ args: ["--job-dir", `${dir.path}/none`] });
  const { code, stderr } = await teleport(server, "run", "pwd");
  assert.equal(code, 126);
  assert.match(stderr, /none/);
});
