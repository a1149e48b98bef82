/** A data directory with a damaged bit or a missing file after a kill: the server refuses to start, and loses nothing. */
import assert from "node:assert/strict";
import { spawnServer, startServer, teleportOk } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";

/** The longest time of a refused start on a busy machine, in milliseconds. */
const MAX_START_MS = 60_000;

/** Makes a directory with three jobs of a killed server. */
async function killed(use: (dir: string, id: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const dir = temporary.path;

  const server = await startServer({ dir });
  let id = "";
  for (const word of ["one", "two", "three"]) {
    id = await teleportOk(server, "run", "-d", "--", "echo", word);
    await teleportOk(server, "wait", id);
  }
  server.process.kill("SIGKILL");
  await server[Symbol.asyncDispose]();
  await use(dir, id);
}

/** Gives the error of a server that must not start and must not change its data. */
async function refused(dir: string): Promise<string> {
  const files = async () => {
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", 'cd "$1" && find jobs.db* output -type f -exec cksum {} + | sort', "sh", `${dir}/data`],
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  };
  const before = await files();
  const { process } = spawnServer({ dir });
  const timer = setTimeout(() => process.kill("SIGKILL"), MAX_START_MS);
  const { code, stderr } = await process.output();
  clearTimeout(timer);
  const told = new TextDecoder().decode(stderr);
  assert.equal(code, 1, told);
  assert.equal(await files(), before);
  assert.match(told, / error The database "jobs\.db" .* \(data directory ".*"\)\n$/m);
  assert.ok(!told.includes("    at "), told);
  return told;
}

Deno.test("teleportd does not start with one flipped bit in the write-ahead log, and starts without that log", () =>
  killed(async (dir) => {
    const path = `${dir}/data/jobs.db-wal`;
    const wal = await Deno.readFile(path);
    // The bit is in the third frame. SQLite alone would start without any job.
    const at = 32 + 2 * 4_120 + 1_000;
    wal[at] = (wal[at] ?? 0) ^ 4;
    await Deno.writeFile(path, wal);
    assert.match(
      await refused(dir),
      /"jobs\.db-wal", which has its last changes, is damaged at byte 8272\. Restore both from a copy, or move/,
    );
    await Deno.rename(path, `${dir}/away`);
    await using server = await startServer({ dir });
    assert.equal(await teleportOk(server, "list", "-q"), "");
    assert.equal([...Deno.readDirSync(`${dir}/data/output`)].length, 3);
  }));

Deno.test("teleportd starts with a damaged write-ahead log after a restart of the machine, and warns", () =>
  killed(async (dir) => {
    const path = `${dir}/data/jobs.db-wal`;
    const wal = await Deno.readFile(path);
    wal[wal.length - 2_000] = (wal[wal.length - 2_000] ?? 0) ^ 4;
    await Deno.writeFile(path, wal);
    await Deno.writeTextFile(`${dir}/data/jobs.db-boot`, "another boot\n");
    await using server = await startServer({ dir });
    assert.match(
      server.log(),
      /^warn "jobs\.db-wal" is damaged at byte \d+, and all later changes are lost\./m,
    );
    assert.equal((await teleportOk(server, "list", "-q")).split("\n").length, 3);
  }));

for (
  const [what, lose] of [
    ["gone", (path: string) => Deno.remove(path)],
    ["empty", (path: string) => Deno.truncate(path)],
  ] as const
) {
  Deno.test(`teleportd does not start without jobs when jobs.db is ${what} and there is output`, () =>
    killed(async (dir, id) => {
      await Deno.rename(`${dir}/data/jobs.db`, `${dir}/copy`);
      await Deno.copyFile(`${dir}/copy`, `${dir}/data/jobs.db`);
      await lose(`${dir}/data/jobs.db`);
      const wal = `${dir}/data/jobs.db-wal`;
      assert.match(
        await refused(dir),
        /is missing or empty, but the directory has "jobs\.db-wal" and "output" of its jobs: put/,
      );
      await Deno.rename(wal, `${dir}/wal`);
      assert.match(await refused(dir), /is missing or empty, but the directory has "output" of its jobs: put a copy/);
      // The first remedy.
      await Deno.rename(`${dir}/copy`, `${dir}/data/jobs.db`);
      await Deno.rename(`${dir}/wal`, wal);
      {
        await using server = await startServer({ dir });
        assert.equal(await teleportOk(server, "logs", id), "three");
      }
      // The second remedy.
      await Deno.remove(`${dir}/data/jobs.db`);
      await Deno.rename(`${dir}/data/output`, `${dir}/output`);
      await using server = await startServer({ dir });
      assert.equal(await teleportOk(server, "list", "-q"), "");
    }));
}
