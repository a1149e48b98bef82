/** The verification of an audit log: it finds every change, and nothing in an unchanged record. */
import assert from "node:assert/strict";
import { AuditLog } from "../../../service/audit/log.ts";
import { auditFileNumbers } from "../../../service/audit/file_names.ts";
import { verifiedText, verifyAudit } from "../../../service/audit/verify.ts";
import { FIRST, tamper, write } from "../audit_fixture.ts";
import { tempDir } from "../../support/temp_dir.ts";

const changes: [string, (lines: string[]) => string[], RegExp][] = [
  ["a changed line", (lines) => lines.with(3, lines[3]!.replace("ann", "bob")), /line 4: it was changed/],
  ["a changed first line", (lines) => lines.with(0, lines[0]!.replace("ann", "bob")), /line 1: it was changed/],
  [
    "a changed last line",
    (lines) => lines.with(9, lines[9]!.replace("ann", "bob")),
    /"audit.head" names: it was changed/,
  ],
  ["a removed line", (lines) => lines.toSpliced(3, 1), /line 4: 1 lines before it are missing/],
  ["a removed first line", (lines) => lines.slice(1), /first 1 lines are missing/],
  ["a removed last line", (lines) => lines.slice(0, -1), /The last 1 lines are missing/],
  ["all lines removed", () => [], /The last 10 lines are missing/],
  ["two lines exchanged", (lines) => lines.with(3, lines[4]!).with(4, lines[3]!), /missing|comes after/],
  ["a line twice", (lines) => lines.toSpliced(3, 0, lines[3]!), /number 4 comes after 4/],
  ["a foreign line", (lines) => lines.toSpliced(3, 0, "hello"), /line 4: it is not a line of an audit log/],
  ["a forged line", (lines) => lines.with(3, lines[3]!.replace(/"seq":4/, '"seq":5')), /missing|comes after/],
];

for (const [what, change, sentence] of changes) {
  Deno.test(`verifyAudit() finds ${what}`, async () => {
    await using dir = await tempDir();
    await write(dir.path, 10);
    assert.deepEqual((await verifyAudit(dir.path)).problems, []);
    await tamper(`${dir.path}/${FIRST}`, change);
    assert.match((await verifyAudit(dir.path)).problems.join("\n"), sentence);
  });
}

Deno.test("verifyAudit() finds a missing file and a missing head", async () => {
  await using dir = await tempDir();
  for (let life = 0; life < 3; life++) await write(dir.path, 10, { maxFileBytes: 1 });
  const numbers = await auditFileNumbers(dir.path);
  assert.ok(numbers.length >= 3);
  await Deno.rename(`${dir.path}/audit-00000002.jsonl`, `${dir.path}/elsewhere`);
  assert.match((await verifyAudit(dir.path)).problems.join(), /lines before it are missing/);
  await Deno.rename(`${dir.path}/elsewhere`, `${dir.path}/audit-00000002.jsonl`);
  await Deno.remove(`${dir.path}/audit.head`);
  assert.match((await verifyAudit(dir.path)).problems.join(), /"audit.head" is missing/);
});

Deno.test("verifyAudit() verifies a single file, whatever its first line is", async () => {
  await using dir = await tempDir();
  for (let life = 0; life < 3; life++) await write(dir.path, 10, { maxFileBytes: 1 });
  const path = `${dir.path}/audit-00000002.jsonl`;
  assert.deepEqual((await verifyAudit(path)).problems, []);
  await tamper(path, (lines) => lines.toSpliced(1, 1));
  assert.equal((await verifyAudit(path)).problems.length, 1);
});

Deno.test("verifyAudit() finds changed bytes that decode to the same text", async () => {
  await using dir = await tempDir();
  {
    await using log = await AuditLog.open({ directory: dir.path });
    for (const user of ["ann\ufffd", "bob"]) log.record({ event: "call", user });
  }
  const path = `${dir.path}/${FIRST}`;
  const bytes = await Deno.readFile(path);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
  const at = bytes.indexOf(0xef);
  await Deno.writeFile(path, new Uint8Array([...bytes.subarray(0, at), 0xff, ...bytes.subarray(at + 3)]));
  assert.match((await verifyAudit(dir.path)).problems.join(), /line 1: it was changed/);
  await Deno.writeFile(path, new Uint8Array([0xef, 0xbb, 0xbf, ...bytes]));
  assert.match((await verifyAudit(dir.path)).problems.join(), /line 1: it was changed/);
});

Deno.test("verifyAudit() does not read a large file without lines into memory", async () => {
  await using dir = await tempDir();
  await write(dir.path, 2);
  await Deno.writeTextFile(`${dir.path}/${FIRST}`, "x".repeat(2_000_000), { append: true });
  assert.match((await verifyAudit(dir.path)).problems.join(), /line 3: it is longer than any line/);
});

Deno.test("verifyAudit() finds no problem in a record that a server writes and shortens", async () => {
  await using dir = await tempDir();
  await using log = await AuditLog.open({ directory: dir.path, maxFileBytes: 20_000, maxFiles: 3 });
  for (let round = 0; round < 40; round++) {
    const verified = verifyAudit(dir.path);
    // Files come and go while the verification reads.
    let isRead = false;
    verified.finally(() => isRead = true);
    for (let batch = 0; batch < 3 || !isRead && batch < 20; batch++) {
      for (let line = 0; line < 20; line++) log.record({ event: "call", user: "ann", text: "x".repeat(200) });
      await log.idle();
    }
    assert.deepEqual((await verified).problems, []);
  }
  assert.ok((await auditFileNumbers(dir.path))[0]! > 5, "Files went meanwhile");
});

Deno.test("verifyAudit() distinguishes a missing record from an empty one", async () => {
  await using dir = await tempDir();
  const nothing = await verifyAudit(dir.path);
  assert.deepEqual(nothing.problems, ["There is no audit log in this directory"]);
  assert.match(verifiedText(nothing), /NOT whole$/);
  await Deno.writeTextFile(`${dir.path}/${FIRST}`, "");
  assert.match((await verifyAudit(dir.path)).problems.join(), /There is no audit log/);
  assert.match((await verifyAudit(`${dir.path}/${FIRST}`)).problems.join(), /has no line/);
  await Deno.remove(`${dir.path}/${FIRST}`);
  await write(dir.path, 0);
  const empty = await verifyAudit(dir.path);
  assert.deepEqual(empty.problems, []);
  assert.match(verifiedText(empty), /The audit log is empty: no line has been written yet$/);
  await Deno.remove(`${dir.path}/${FIRST}`);
  assert.match((await verifyAudit(dir.path)).problems.join(), /There is no audit log/);
});

Deno.test("chainLine() escapes control characters and keeps the text", async () => {
  await using dir = await tempDir();
  const said = "a\u009b31m\u007f\u202eb\u{e0041}";
  {
    await using log = await AuditLog.open({ directory: dir.path });
    log.record({ event: "call", user: said, args: [said], env: [said] });
  }
  const text = await Deno.readTextFile(`${dir.path}/${FIRST}`);
  assert.match(text, /^[\x20-\x7e\n]+$/);
  assert.deepEqual(JSON.parse(text).args, [said]);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});
