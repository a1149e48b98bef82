/** A server on a full disk: calls fail, a kill and a start on it, and the recovery when there is room. */
import assert from "node:assert/strict";
import { needingDisk, onDisk, remount } from "../support/small_disk.ts";
import { killWithHosts, type Server, spawnServer, startServer, teleport, teleportOk } from "../support/programs.ts";
import { living } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";
import { deadline } from "../support/deadline.ts";

/** Starts a server whose data, but not its certificates, are on the full disk. */
async function withServer(use: (dir: string, disk: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const dir = temporary.path;

  await onDisk(8, async (disk) => {
    await Deno.symlink(disk, `${dir}/data`);
    await use(dir, disk);
  });
}

/** Gives the error of a server that must not start. */
async function refusedStart(dir: string): Promise<string> {
  const { process } = spawnServer({ dir });
  const [said, { code }] = await Promise.all([new Response(process.stderr).text(), process.status]);
  assert.equal(code, 1, said);
  return said;
}

async function kill(server: Server): Promise<void> {
  await killWithHosts(server);
  await server[Symbol.asyncDispose]();
}

const REFUSAL =
  / error The database "jobs.db" in the data directory cannot be written \(.*\): free space on its disk or repair the disk/m;

/** The server needs a job host to end what the killed one has left, and the job host needs a directory. */
const HOST_REFUSAL = / error Cannot use the data directory "[^"]+": no space left on device \(ENOSPC\)$/m;

Deno.test({
  ...needingDisk(
    "on a full disk the server refuses new jobs in a sentence and serves on; killed there, it is whole when there is room",
  ),
  fn: () =>
    withServer(async (dir, disk) => {
      const server = await startServer({ dir, args: ["--max-output-total", "1GB"] });
      const before = await teleportOk(server, "run", "-d", "--", "echo", "before");
      await teleportOk(server, "wait", before);
      const running = await teleportOk(server, "run", "-d", "--", "sleep", "1000");
      await Deno.writeFile(`${disk}/ballast`, new Uint8Array(10_000_000)).catch(() => {});
      let refused = await teleport(server, "register", "--", "echo", "x".repeat(100_000));
      for (let count = 0; count < 20 && refused.code === 0; count++) {
        refused = await teleport(server, "register", "--", "echo", "x".repeat(100_000));
      }
      assert.match(
        refused.stderr,
        /cannot write to its data directory: free space on its disk or repair the disk, then try again/,
      );
      assert.ok(!refused.stderr.includes(dir));
      assert.equal(refused.code, 1);
      assert.equal(await teleportOk(server, "logs", before), "before");
      assert.match(await teleportOk(server, "status", running), /RUNNING/);
      await kill(server);
      assert.match(await refusedStart(dir), HOST_REFUSAL);
      assert.match(await refusedStart(dir), HOST_REFUSAL);
      await Deno.remove(`${disk}/ballast`);
      await using mended = await startServer({ dir });
      assert.deepEqual(living(running), []);
      assert.match(await teleportOk(mended, "status", running), /LOST/);
      assert.equal(await teleportOk(mended, "logs", before), "before");
      assert.equal(await teleportOk(mended, "run", "--", "echo", "after"), "after");
    }),
});

Deno.test({
  ...needingDisk("the server ends in order on a full disk too"),
  fn: () =>
    withServer(async (dir, disk) => {
      await using server = await startServer({ dir, args: ["--max-output-total", "1GB"] });
      const running = await teleportOk(server, "run", "-d", "--", "sleep", "1000");
      await Deno.writeFile(`${disk}/ballast`, new Uint8Array(10_000_000)).catch(() => {});
      server.process.kill("SIGTERM");
      assert.equal((await deadline(server.process.status, "the end of the process")).code, 0);
      assert.deepEqual(living(running), []);
      await Deno.remove(`${disk}/ballast`);
      await using next = await startServer({ dir });
      // Unrecorded facts are not invented.
      assert.match(await teleportOk(next, "status", running), /LOST|KILLED/);
    }),
});

Deno.test({
  ...needingDisk("a read-only data directory is refused in a sentence, and taken when it is writable"),
  fn: () =>
    withServer(async (dir, disk) => {
      const server = await startServer({ dir });
      const id = await teleportOk(server, "run", "-d", "--", "echo", "before");
      await teleportOk(server, "wait", id);
      await server[Symbol.asyncDispose]();
      await remount(disk, "ro");
      assert.match(await refusedStart(dir), REFUSAL);
      await remount(disk, "rw");
      await using next = await startServer({ dir });
      assert.equal(await teleportOk(next, "logs", id), "before");
    }),
});
