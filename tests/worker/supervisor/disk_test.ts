/** Tests for a disk that is full or read-only: clear errors, no damage, and normal work afterwards. */
import assert from "node:assert/strict";
import { JobNotFoundError, NotRecordedError, StoreUnusableError, Supervisor } from "../../../mod.ts";
import { needingDisk, onDisk, remount, run } from "../../support/small_disk.ts";
import { finalStatus } from "../../support/final_status.ts";

async function finish(supervisor: Supervisor, id: string) {
  return await finalStatus(supervisor, id);
}

Deno.test({
  ...needingDisk(
    "on a full disk add() refuses jobs and running jobs continue, and with free space all changes are written",
  ),
  fn: () =>
    onDisk(16, async (disk) => {
      const directory = `${disk}/data`;
      const errors: unknown[] = [];
      let full = "";
      let before = "";
      {
        await using supervisor = new Supervisor({
          directory,
          onError: (error) => errors.push(error),
          closeGraceMs: 100,
        });
        before = await supervisor.add("sh", ["-c", "echo before"]);
        await supervisor.start(before);
        assert.equal((await finish(supervisor, before)).state, "EXITED");
        const running = await supervisor.add("sh", ["-c", "read line < $FIFO; exit 5"], {
          env: { FIFO: `${disk}/fifo` },
        });
        await run("mkfifo", `${disk}/fifo`);
        await supervisor.start(running);
        full = await supervisor.add("sh", ["-c", "exec yes"]);
        await supervisor.start(full);
        const status = await finish(supervisor, full);
        assert.equal(status.reason, "OUTPUT_FAILED");
        assert.match(status.error ?? "", /could not record the output \(ENOSPC\)/);
        // Fills the disk to the last byte.
        await Deno.writeFile(`${disk}/ballast`, new Uint8Array(20_000_000)).catch(() => {});
        let refusal: unknown;
        for (let index = 0; index < 1_000 && refusal === undefined; index++) {
          await supervisor.add("true", ["x".repeat(100_000)]).catch((error) => refusal = error);
        }
        assert.ok(refusal instanceof NotRecordedError, String(refusal));
        assert.match(refusal.message, /cannot write to its data directory: free space on its disk or repair the disk/);
        assert.ok(!refusal.message.includes(disk));
        assert.ok(errors.some((error) => /full/.test(String(error))), "The log says why");
        // Jobs can be read, running jobs continue, and an end is published although it cannot be written.
        assert.equal((await supervisor.status(before)).exitCode, 0);
        assert.ok((await supervisor.list()).jobs.length >= 3);
        await Deno.writeTextFile(`${disk}/fifo`, "go\n");
        assert.equal((await finish(supervisor, running)).exitCode, 5);
        // A removal frees the space for its own change. Then work continues, and the pending changes are written.
        await supervisor.remove(full);
        const after = await supervisor.add("sh", ["-c", "echo after"]);
        await supervisor.start(after);
        assert.equal((await finish(supervisor, after)).exitCode, 0);
        await supervisor.close();
        await using next = new Supervisor({ directory });
        assert.equal((await next.status(running)).exitCode, 5);
        assert.equal((await next.status(after)).exitCode, 0);
        await assert.rejects(next.status(full), JobNotFoundError);
        let text = "";
        for await (const { data } of next.watchOutput(before)) text += new TextDecoder().decode(data);
        assert.equal(text, "before\n");
      }
    }),
});

Deno.test({
  ...needingDisk("maxDiskShare keeps the disk from getting full: ended jobs are removed for new ones"),
  fn: () =>
    onDisk(16, async (disk) => {
      await using supervisor = new Supervisor({ directory: `${disk}/data`, maxDiskShare: 0.5 });
      const first = await supervisor.add("head", ["-c", "3000000", "/dev/zero"]);
      await supervisor.start(first);
      await finish(supervisor, first);
      for (let index = 0; index < 10; index++) {
        const id = await supervisor.add("head", ["-c", "3000000", "/dev/zero"]);
        await supervisor.start(id);
        assert.equal((await finish(supervisor, id)).exitCode, 0, `${index}`);
      }
      await assert.rejects(supervisor.status(first), JobNotFoundError);
      // A job whose output alone is too large is stopped, with another reason than on a full disk.
      const id = await supervisor.add("sh", ["-c", "exec yes"]);
      await supervisor.start(id);
      const status = await finish(supervisor, id);
      assert.equal(status.reason, "OUTPUT_LIMIT");
      assert.ok(status.stdoutBytes > 5_000_000);
      await supervisor.close();
    }),
});

Deno.test({
  ...needingDisk("new Supervisor() refuses a directory that cannot be written, with a message"),
  fn: () =>
    onDisk(16, async (disk) => {
      const directory = `${disk}/data`;
      let id = "";
      {
        await using supervisor = new Supervisor({ directory });
        id = await supervisor.add("sh", ["-c", "exit 4"]);
      }
      await remount(disk, "ro");
      for (const where of [directory, `${disk}/fresh`]) {
        assert.throws(() => new Supervisor({ directory: where }), (error) => {
          assert.ok(error instanceof StoreUnusableError, String(error));
          assert.match(
            error.message,
            /cannot be written \(EROFS\): free space on its disk or repair the disk, or give another directory/,
          );
          assert.ok(!error.message.includes(disk));
          return true;
        });
      }
      await remount(disk, "rw");
      await using supervisor = new Supervisor({ directory });
      await supervisor.start(id);
      assert.equal((await finish(supervisor, id)).exitCode, 4);
      await supervisor.close();
    }),
});
