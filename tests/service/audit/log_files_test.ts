/** The files of an audit log: rotation, removal of old files, and what a start finds. */
import assert from "node:assert/strict";
import { AuditLog } from "../../../service/audit/log.ts";
import { auditFileNumbers } from "../../../service/audit/file_names.ts";
import { verifyAudit } from "../../../service/audit/verify.ts";
import { FIRST, tamper, write } from "../audit_fixture.ts";
import { tempDir } from "../../support/temp_dir.ts";

const missing: [string, (directory: string) => Promise<void>][] = [
  ["lines cut off the end", (directory) => tamper(`${directory}/${FIRST}`, (lines) => lines.slice(0, -3))],
  ["all lines", (directory) => tamper(`${directory}/${FIRST}`, () => [])],
  ["the files", (directory) => Deno.remove(`${directory}/${FIRST}`)],
  [
    "the last line as it was",
    (directory) => tamper(`${directory}/${FIRST}`, (lines) => lines.with(-1, lines.at(-1)!.replace("ann", "bob"))),
  ],
];

Deno.test("AuditLog begins new files by size, and records the removal of the oldest", async () => {
  await using dir = await tempDir();
  await using log = await AuditLog.open({ directory: dir.path, maxFileBytes: 2_000, maxFiles: 3 });
  for (let index = 0; index < 60; index++) {
    log.record({ event: "call", user: "ann", call: "Status", code: "OK" });
    // In batches of one entry, so that the size decides.
    await log.idle();
  }
  const numbers = await auditFileNumbers(dir.path);
  assert.equal(numbers.length, 3);
  assert.ok(numbers[0]! > 1);
  const found = await verifyAudit(dir.path);
  assert.deepEqual(found.problems, []);
  assert.ok(found.firstSeq > 1 && found.lastSeq > 60);
  for (const number of numbers) {
    const { size } = await Deno.stat(`${dir.path}/audit-${String(number).padStart(8, "0")}.jsonl`);
    assert.ok(size < 3_000);
  }
  // The audit log does not mention a file that somebody else removes.
  await Deno.remove(`${dir.path}/audit-${String(numbers[0]).padStart(8, "0")}.jsonl`);
  assert.match((await verifyAudit(dir.path)).problems.join(), /missing, and the audit log does not say why/);
});

Deno.test("AuditLog.open() cuts off an incomplete last line, and records that", async () => {
  await using dir = await tempDir();
  await write(dir.path, 4);
  const path = `${dir.path}/${FIRST}`;
  const { size } = await Deno.stat(path);
  await Deno.writeTextFile(path, '{"seq":5,"ti', { append: true });
  assert.match((await verifyAudit(dir.path)).problems.join(), /line 5: it has no end/);
  await write(dir.path, 1);
  const found = await verifyAudit(dir.path);
  assert.deepEqual([found.problems, found.lines], [[], 6]);
  assert.match(
    (await Deno.readTextFile(path)).slice(size),
    /^\{"seq":5,.*Cut off a last line of 12 bytes that a crash left incomplete/,
  );
});

Deno.test("verifyAudit() accepts a head that a crash has left one write old", async () => {
  await using dir = await tempDir();
  await write(dir.path, 4);
  const head = await Deno.readTextFile(`${dir.path}/audit.head`);
  await write(dir.path, 4);
  await Deno.writeTextFile(`${dir.path}/audit.head`, head);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});

Deno.test("AuditLog removes a file after the audit log says so, and a crash in between leaves it whole", async () => {
  await using dir = await tempDir();
  for (let life = 0; life < 3; life++) await write(dir.path, 10, { maxFileBytes: 1 });
  const before = await auditFileNumbers(dir.path);
  const errors: unknown[] = [];
  {
    // The disk is full from the moment when a new file begins.
    const full = () => Promise.reject(new Deno.errors.WriteZero("no space left on device"));
    const options = { maxFileBytes: 1, maxFiles: 2, write: full, onError: (error: unknown) => errors.push(error) };
    await using log = await AuditLog.open({ directory: dir.path, ...options });
    log.record({ event: "call", user: "ann" });
    await log.idle();
  }
  assert.equal(errors.length, 1);
  for (const number of before) assert.ok((await auditFileNumbers(dir.path)).includes(number), `file ${number}`);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
  await write(dir.path, 10, { maxFileBytes: 1, maxFiles: 2 });
  assert.equal((await auditFileNumbers(dir.path)).length, 2);
  const found = await verifyAudit(dir.path);
  assert.deepEqual(found.problems, []);
  assert.ok(found.firstSeq > 20);
});

Deno.test("AuditLog continues when an old file is missing or cannot be removed", async () => {
  await using dir = await tempDir();
  await using log = await AuditLog.open({ directory: dir.path, maxFileBytes: 1, maxFiles: 2 });
  const next = async () => {
    log.record({ event: "call", user: "ann" });
    await log.idle();
  };
  for (let file = 0; file < 2; file++) await next();
  const [first] = await auditFileNumbers(dir.path);
  await Deno.remove(`${dir.path}/audit-${String(first).padStart(8, "0")}.jsonl`);
  await next();
  await next();
  await log.ready();
  const numbers = await auditFileNumbers(dir.path);
  assert.equal(numbers.length, 2);
  // A directory that is not empty cannot be removed.
  const path = `${dir.path}/audit-${String(numbers[0]).padStart(8, "0")}.jsonl`;
  const text = await Deno.readTextFile(path);
  await Deno.remove(path);
  await Deno.mkdir(`${path}/inside`, { recursive: true });
  await next();
  await Deno.remove(path, { recursive: true });
  await Deno.writeTextFile(path, text);
  await log.ready();
  await next();
  await log.ready();
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});

Deno.test("AuditLog.open() reports a missing head and writes a new one", async () => {
  for (const damage of [(path: string) => Deno.remove(path), (path: string) => Deno.writeTextFile(path, "hello")]) {
    await using dir = await tempDir();
    await write(dir.path, 3);
    await damage(`${dir.path}/audit.head`);
    {
      await using log = await AuditLog.open({ directory: dir.path });
      assert.match(log.problem ?? "", /^"audit\.head" was missing or damaged: /);
    }
    assert.deepEqual((await verifyAudit(dir.path)).problems, []);
    assert.match(await Deno.readTextFile(`${dir.path}/${FIRST}`), /"seq":4,.*"audit\.head\\" was missing/);
  }
});

Deno.test("AuditLog.open() finds no problem in an audit log without lines", async () => {
  await using dir = await tempDir();
  await using log = await AuditLog.open({ directory: dir.path });
  assert.equal(log.problem, undefined);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});

for (const [what, change] of missing) {
  Deno.test(`AuditLog.open() reports an audit log without ${what}, and verifyAudit() still finds that`, async () => {
    await using dir = await tempDir();
    await write(dir.path, 10);
    await change(dir.path);
    {
      await using log = await AuditLog.open({ directory: dir.path });
      assert.match(log.problem ?? "", /^The audit log does not end with line 10 of "audit\.head": /);
      log.record({ event: "call", user: "ann" });
    }
    await write(dir.path, 5);
    assert.notDeepEqual((await verifyAudit(dir.path)).problems, []);
    assert.match(await Deno.readTextFile(`${dir.path}/${FIRST}`), /"seq":11,.*"text":"The audit log does not end with/);
    await using log = await AuditLog.open({ directory: dir.path });
    assert.equal(log.problem, undefined);
  });
}
