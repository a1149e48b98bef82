/** Tests of atomic writes of certificate files. */
import assert from "node:assert/strict";
import { listFiles, writePairs } from "../../certs/directory.ts";
import { namesIn, refuses, snapshot } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

const one = { certificate: "certificate of one\n", key: "key of one\n" };
const two = { certificate: "certificate of two\n", key: "key of two\n" };

Deno.test("writePairs() creates a directory, its parents and the files, each with its mode", async () => {
  await using dir = await tempDir();
  const target = `${dir.path}/a/b`;
  await writePairs(target, { one, two }, { replace: false });
  assert.deepEqual(await snapshot(target), {
    "one.crt": { mode: "644", text: one.certificate },
    "one.key": { mode: "600", text: one.key },
    "two.crt": { mode: "644", text: two.certificate },
    "two.key": { mode: "600", text: two.key },
  });
  assert.equal((await snapshot(`${dir.path}/a`))["b"]?.mode, "700");
});

Deno.test("writePairs() removes its files when it fails", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/two.key`, "of somebody else");
  const before = await snapshot(dir.path);
  const work = () => writePairs(dir.path, { one, two }, { replace: false });
  await refuses(work, "ALREADY_EXISTS", /already has "two\.key"/);
  assert.deepEqual(await snapshot(dir.path), before);
});

Deno.test("writePairs() restores replaced files when it fails", async () => {
  await using dir = await tempDir();
  await writePairs(dir.path, { one }, { replace: false });
  await Deno.mkdir(`${dir.path}/two.crt`);
  const before = await snapshot(dir.path);
  const changed = { certificate: "changed\n", key: "changed\n" };
  await refuses(
    () => writePairs(dir.path, { one: changed, two }, { replace: true }),
    "NOT_ACCESSIBLE",
    /^Cannot write/,
  );
  assert.deepEqual(await snapshot(dir.path), before);
});

Deno.test("writePairs() replaces a readable key by a private one", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/one.key`, "old", { mode: 0o644 });
  await writePairs(dir.path, { one }, { replace: true });
  assert.deepEqual(await snapshot(dir.path), {
    "one.crt": { mode: "644", text: one.certificate },
    "one.key": { mode: "600", text: one.key },
  });
});

Deno.test("writePairs() does not change the target of a symbolic link", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(`${dir.path}/certs`);
  await Deno.writeTextFile(`${dir.path}/elsewhere`, "precious");
  await Deno.symlink(`${dir.path}/elsewhere`, `${dir.path}/certs/one.key`);
  await refuses(() => writePairs(`${dir.path}/certs`, { one }, { replace: false }), "ALREADY_EXISTS", /"one\.key"/);
  await writePairs(`${dir.path}/certs`, { one }, { replace: true });
  assert.equal(await Deno.readTextFile(`${dir.path}/elsewhere`), "precious");
  assert.equal(await Deno.readTextFile(`${dir.path}/certs/one.key`), one.key);
});

Deno.test("writePairs() removes a new directory when it fails", async () => {
  await using dir = await tempDir();
  const unwritable = { certificate: "x", key: "x" };
  const work = () => writePairs(`${dir.path}/new`, { "no/such/folder": unwritable }, { replace: false });
  await refuses(work, "NOT_ACCESSIBLE", /^Cannot write to ".*new": No such file/);
  assert.deepEqual(await namesIn(dir.path), []);
});

Deno.test("writePairs() lets one of many concurrent calls succeed, and leaves no files of the others", async () => {
  await using dir = await tempDir();
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => {
    const pair = { certificate: `certificate ${index}`, key: `key ${index}` };
    return writePairs(`${dir.path}/certs`, { one: pair, two: pair }, { replace: false });
  }));
  const winners = results.flatMap(({ status }, index) => status === "fulfilled" ? [index] : []);
  assert.equal(winners.length, 1);
  assert.deepEqual(await snapshot(`${dir.path}/certs`), {
    "one.crt": { mode: "644", text: `certificate ${winners[0]}` },
    "one.key": { mode: "600", text: `key ${winners[0]}` },
    "two.crt": { mode: "644", text: `certificate ${winners[0]}` },
    "two.key": { mode: "600", text: `key ${winners[0]}` },
  });
});

Deno.test("listFiles() lists only certificates and keys, and nothing for a missing directory", async () => {
  await using dir = await tempDir();
  for (const name of ["b.key", "a.crt", "notes.txt", ".hidden.key", "key", ".crt"]) {
    await Deno.writeTextFile(`${dir.path}/${name}`, "");
  }
  assert.deepEqual(await listFiles(dir.path), ["a.crt", "b.key"]);
  assert.deepEqual(await listFiles(`${dir.path}/none`), []);
  await refuses(() => listFiles(`${dir.path}/a.crt`), "NOT_ACCESSIBLE", /a\.crt": it is not a directory/);
});
