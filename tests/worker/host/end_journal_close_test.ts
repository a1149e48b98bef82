/** Tests for the close of the journal of ends: the last try, and the last line. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeEnd, journalPath, readEnds } from "../../../worker/host/end_line.ts";
import { deadline } from "../../support/deadline.ts";
import { needingDisk, onDisk } from "../../support/small_disk.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { endOf, idsIn } from "./ends.ts";
import { countingSyncs, openIn } from "./open_journal.ts";

Deno.test("close() tries once more to write, and gives up then", async () => {
  await using temporary = await tempDir();
  const errors: unknown[] = [];
  const journal = openIn(join(temporary.path, "none"), { errors, retryMs: 600_000 });
  await journal.write(endOf("a"));
  await deadline(journal.close(), "the close");
  assert.equal(errors.length, 2);
  const other = openIn(join(temporary.path, "none"), { errors, retryMs: 600_000 });
  await other.write(endOf("a"));
  await Deno.mkdir(join(temporary.path, "none"));
  await deadline(other.close(), "the close");
  assert.deepEqual(idsIn(join(temporary.path, "none")), ["a"]);
});

Deno.test("write() and close() after close() do not delete the ends in the file", async () => {
  await using temporary = await tempDir();
  const journal = openIn(temporary.path);
  await journal.write(endOf("a"));
  await journal.close();
  await journal.write(endOf("b"));
  await journal.close(true);
  assert.deepEqual(idsIn(temporary.path), ["a"]);
});

/** Returns whether the journal says that all ends are in it. */
function isClosed(directory: string): boolean {
  return readEnds(directory, (line) => assert.fail(`Line ${line} is damaged`)).areComplete;
}

Deno.test("close() writes a last line only when no further end is possible, and all ends are in the file", () =>
  countingSyncs(async (syncs) => {
    for (const isComplete of [false, true]) {
      await using temporary = await tempDir();
      const journal = openIn(temporary.path);
      for (const id of ["stored", "needed"]) await journal.write(endOf(id));
      journal.forget("stored");
      await journal.close(isComplete);
      assert.equal(isClosed(temporary.path), isComplete);
      assert.deepEqual(idsIn(temporary.path), ["stored", "needed"]);
    }
    await using temporary = await tempDir();
    const errors: unknown[] = [];
    const journal = openIn(temporary.path, { errors, retryMs: 600_000 });
    await journal.write(endOf("a"));
    syncs.failure = new Error("a disk that fails");
    await journal.close(true);
    assert.equal(isClosed(temporary.path), false, "The system may have dropped the end");
    await using none = await tempDir();
    await openIn(none.path).close(true);
    assert.deepEqual([...Deno.readDirSync(none.path)], [], "A host without an end removes its directory");
  }));

Deno.test(
  needingDisk("close() writes no last line while the disk has no room for an end, or for the line"),
  async () => {
    await onDisk(1, async (directory) => {
      const fill = (name: string) =>
        new Deno.Command("sh", { args: ["-c", `cat /dev/zero > ${join(directory, name)}`], stderr: "null" }).output();
      for (const [name, size] of [["large", 300_000], ["small", 0]] as const) {
        const own = join(directory, name);
        await Deno.mkdir(own);
        const errors: unknown[] = [];
        const journal = openIn(own, { errors, retryMs: 600_000 });
        // One line that fills the last page of the file leaves no room for another one.
        const first = endOf("first");
        const rest = 4_096 - encodeEnd(first).length % 4_096;
        await journal.write(
          endOf("first", `${first.status.state === "LOST" && first.status.error}${"x".repeat(rest)}`),
        );
        assert.equal(Deno.statSync(journalPath(own)).size % 4_096, 0);
        await fill(`fill-${name}`);
        if (size > 0) await journal.write(endOf("refused", "x".repeat(size)));
        // Room for the closing line alone.
        if (size > 0) {
          await Deno.truncate(
            join(directory, `fill-${name}`),
            Deno.statSync(join(directory, `fill-${name}`)).size - 8_192,
          );
        }
        await journal.close(true);
        assert.ok(errors.length > 0, name);
        assert.deepEqual(idsIn(own), ["first"], name);
        assert.equal(isClosed(own), false, name);
        await Deno.remove(join(directory, `fill-${name}`));
      }
    });
  },
);
