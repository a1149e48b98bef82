/** The receiver of a copy: hostile archives, destinations of every kind, and copies that nobody confirms. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { LocalReceiver } from "../../../cli/copy/local_receiver.ts";
import type { CopyKind } from "../../../cli/copy/scripts.ts";
import { startProgram } from "../../../cli/local_program.ts";
import { needing } from "../../support/needs.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { archive, type Entry } from "./archives.ts";

const TOP: Entry = { name: "./", type: "5" };

/** Gives the names in a directory, sorted. */
function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

interface Received {
  readonly path?: string;
  readonly error?: string;
  readonly notes: readonly string[];
}

/** Gives an archive to a receiver, and confirms it unless the digest is another one. */
async function receive(
  bytes: Uint8Array,
  destination: string,
  { kind = "directory", name = "copy", sha256 }: { kind?: CopyKind; name?: string; sha256?: string } = {},
): Promise<Received> {
  const receiver = new LocalReceiver({ startProgram }, { kind, destination, name, idleMinutes: 0 });
  const { lines: notes } = receiver.problems;
  try {
    await receiver.write(bytes);
    const path = await receiver.finish(sha256 ?? createHash("sha256").update(bytes).digest("hex"));
    return { path, notes };
  } catch (error) {
    return { error: (error as Error).message, notes };
  } finally {
    await receiver.cancel();
  }
}

/** Archives that try to write outside. `VICTIM` is a directory there, `UP` the way to it from the copy. */
const HOSTILE: Readonly<Record<string, readonly Entry[]>> = {
  "a name that goes up": [TOP, { name: "./UP/new", type: "0", content: "x" }],
  "a name that goes down and up": [TOP, { name: "./a/../UP/new", type: "0", content: "x" }],
  "an absolute name": [{ name: "VICTIM/new", type: "0", content: "x" }],
  "a file through its own symbolic link": [
    TOP,
    { name: "./l", type: "2", link: "VICTIM" },
    { name: "./l/new", type: "0", content: "x" },
  ],
  "a file through a relative symbolic link": [
    TOP,
    { name: "./l", type: "2", link: "UP" },
    { name: "./l/new", type: "0", content: "x" },
  ],
  "a file over its own symbolic link": [
    TOP,
    { name: "./l", type: "2", link: "VICTIM/file" },
    { name: "./l", type: "0", content: "x" },
  ],
  "a hard link to a file outside, and a file over it": [
    TOP,
    { name: "./h", type: "1", link: "VICTIM/file" },
    { name: "./h", type: "0", content: "x" },
  ],
  "a hard link to a symbolic link": [
    TOP,
    { name: "./l", type: "2", link: "VICTIM/file" },
    { name: "./h", type: "1", link: "./l" },
    { name: "./h", type: "0", content: "x" },
  ],
  "a symbolic link as the directory itself": [
    { name: ".", type: "2", link: "VICTIM" },
    { name: "./new", type: "0", content: "x" },
  ],
};

for (const [what, entries] of Object.entries(HOSTILE)) {
  Deno.test(`a copy with ${what} writes nothing outside of its destination`, async () => {
    await using temporary = await tempDir();
    const victim = `${temporary.path}/victim`;
    await Deno.mkdir(`${temporary.path}/out`);
    await Deno.mkdir(victim);
    await Deno.writeTextFile(`${victim}/file`, "precious");
    // The copy is unpacked in out/.teleport-cp.X/data.
    const placed = (text: string) => text.replace("VICTIM", victim).replace("UP", "../../../victim");
    const bytes = archive(
      ...entries.map((entry) => ({ ...entry, name: placed(entry.name), link: placed(entry.link ?? "") })),
    );
    await receive(bytes, `${temporary.path}/out`);
    assert.deepEqual(namesIn(victim), ["file"]);
    assert.equal(await Deno.readTextFile(`${victim}/file`), "precious");
    assert.equal((await Deno.stat(`${victim}/file`)).nlink, 1);
    assert.deepEqual(namesIn(temporary.path), ["out", "victim"]);
    assert.deepEqual(namesIn(`${temporary.path}/out`).filter((name) => name !== "copy"), []);
  });
}

Deno.test("a copy that tar cannot read, or another one than was sent, leaves nothing", async () => {
  await using temporary = await tempDir();
  const good = archive(TOP, { name: "./a", type: "0", content: "x" });
  const damaged = await receive(new Uint8Array(5_000).fill(120), temporary.path);
  assert.match(damaged.error ?? "", /Cannot copy to ".*": .*tar/);
  const other = await receive(good, temporary.path, { sha256: "0".repeat(64) });
  assert.match(other.error ?? "", /altered on its way: its SHA-256 is [0-9a-f]{64}, not 0{64}/);
  const many = archive({ name: "./a", type: "0" }, { name: "./b", type: "0" });
  assert.match((await receive(many, temporary.path, { kind: "file" })).error ?? "", /more than one file came/);
  assert.match((await receive(archive(TOP), temporary.path, { kind: "file" })).error ?? "", /no file came/);
  assert.deepEqual(namesIn(temporary.path), []);
});

Deno.test("a receiver whose sender goes away leaves nothing", async () => {
  await using temporary = await tempDir();
  const receiver = new LocalReceiver({ startProgram }, {
    kind: "directory",
    destination: temporary.path,
    name: "copy",
    idleMinutes: 0,
  });
  await receiver.write(archive(TOP, { name: "./a", type: "0", content: "x" }));
  await receiver.cancel();
  assert.deepEqual(namesIn(temporary.path), []);
});

Deno.test("a copy of a directory merges with the one that is there, and follows no symbolic link in it", async () => {
  await using temporary = await tempDir();
  const { path: dir } = temporary;
  await Deno.mkdir(`${dir}/copy/sub`, { recursive: true });
  await Deno.writeTextFile(`${dir}/copy/sub/kept`, "kept");
  await Deno.writeTextFile(`${dir}/copy/sub/old`, "old");
  await Deno.writeTextFile(`${dir}/precious`, "precious");
  await Deno.symlink(`${dir}/precious`, `${dir}/copy/link`);
  const bytes = archive(
    TOP,
    // Its mode would forbid to move its files away.
    { name: "./sub/", type: "5", mode: 0o500 },
    { name: "./sub/old", type: "0", content: "new" },
    { name: "./link", type: "0", content: "replaces the link" },
    { name: "./more/", type: "5" },
    { name: "./more/.hidden", type: "0", content: "x" },
  );
  const { path, error } = await receive(bytes, dir);
  assert.equal(error, undefined);
  assert.equal(path, `${dir}/copy`);
  const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  assert.deepEqual(["copy/sub/kept", "copy/sub/old", "copy/link", "precious", "copy/more/.hidden"].map(read), [
    "kept",
    "new",
    "replaces the link",
    "precious",
    "x",
  ]);

  // A directory would go through the link.
  await Deno.remove(`${dir}/copy/link`);
  await Deno.mkdir(`${dir}/elsewhere`);
  await Deno.symlink(`${dir}/elsewhere`, `${dir}/copy/link`);
  const through = archive(
    TOP,
    { name: "./a", type: "0", content: "not moved" },
    { name: "./link/", type: "5" },
    { name: "./link/new", type: "0" },
  );
  assert.match((await receive(through, dir)).error ?? "", /'.*copy\/link' is a symbolic link/);
  assert.deepEqual(namesIn(`${dir}/elsewhere`), []);
  assert.deepEqual(namesIn(`${dir}/copy`), ["link", "more", "sub"]);
});

Deno.test("a copy of a file takes its name in a directory, another name, or the place of a file or link", async () => {
  await using temporary = await tempDir();
  const { path: dir } = temporary;
  await Deno.writeTextFile(`${dir}/precious`, "precious");
  await Deno.symlink(`${dir}/precious`, `${dir}/link`);
  await Deno.mkdir(`${dir}/sub/taken`, { recursive: true });
  await new Deno.Command("mkfifo", { args: [`${dir}/pipe`] }).output();
  const bytes = archive({ name: "./sent", type: "0", content: "x", mode: 0o4644 });
  const copy = (to: string, name = "sent") => receive(bytes, to, { kind: "file", name });
  for (const to of ["new", "precious", "link"]) assert.equal((await copy(`${dir}/${to}`)).path, `${dir}/${to}`);
  assert.equal((await copy(`${dir}/sub/`)).path, `${dir}/sub/sent`);
  for (const name of ["new", "precious", "link", "sub/sent"]) {
    assert.equal(await Deno.readTextFile(`${dir}/${name}`), "x", name);
    const { mode, mtime, isFile } = await Deno.lstat(`${dir}/${name}`);
    // The time is kept, and the set-user-id bit is not.
    assert.deepEqual([mode! & 0o7777, mtime?.getTime(), isFile], [0o644, 1_000_000_000, true]);
  }
  assert.match((await copy(`${dir}/sub`, "taken")).error ?? "", /taken' is a directory/);
  assert.match((await copy(`${dir}/pipe`)).error ?? "", /pipe' is neither a file nor a directory/);
  assert.match((await copy(`${dir}/nothing/`)).error ?? "", /nothing\/' is not a directory/);
  assert.match((await copy(`${dir}/nothing/x`)).error ?? "", /the directory '.*nothing\/' does not exist/);
  assert.match((await receive(archive(TOP), `${dir}/new`)).error ?? "", /new' is not a directory/);
});

Deno.test({
  ...needing("root", "a copy leaves out devices, and says so"),
  async fn() {
    await using temporary = await tempDir();
    const bytes = archive(TOP, { name: "./null", type: "3" }, { name: "./a", type: "0" });
    const { notes, error } = await receive(bytes, temporary.path);
    assert.equal(error, undefined);
    assert.deepEqual(namesIn(`${temporary.path}/copy`), ["a"]);
    assert.deepEqual(notes, ["devices, pipes and sockets are left out"]);
  },
});

Deno.test({
  ...needing(
    ["root", "nobody", "setpriv"],
    "a copy of directories without write permission works for a user without rights",
  ),
  async fn() {
    await using temporary = await tempDir({ mode: 0o777 });
    const bytes = archive(
      { ...TOP, mode: 0o555 },
      { name: "./sub/", type: "5", mode: 0o555 },
      { name: "./sub/a", type: "0", content: "x", mode: 0o444 },
    );
    const asNobody = (command: string, args: readonly string[]) =>
      startProgram("setpriv", ["--reuid=nobody", "--clear-groups", command, ...args]);
    for (let time = 0; time < 2; time++) {
      const receiver = new LocalReceiver({ startProgram: asNobody }, {
        kind: "directory",
        destination: temporary.path,
        name: "copy",
        idleMinutes: 0,
      });
      await receiver.write(bytes);
      const finished = receiver.finish(createHash("sha256").update(bytes).digest("hex"));
      // The second copy cannot be merged: the directory of the first one may not be written.
      if (time === 0) assert.equal(await finished, `${temporary.path}/copy`);
      else await assert.rejects(finished, /Permission denied/);
      await receiver.cancel();
      assert.equal((await Deno.stat(`${temporary.path}/copy`)).mode! & 0o777, 0o555);
      assert.deepEqual(namesIn(temporary.path), ["copy"]);
    }
  },
});
