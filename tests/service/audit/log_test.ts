/** The audit log: whole after crashes and full disks, and explicit about every change from outside. */
import assert from "node:assert/strict";
import { AuditLog } from "../../../service/audit/log.ts";
import { auditFileNumbers } from "../../../service/audit/files.ts";
import { verifyAudit } from "../../../service/audit/verify.ts";
import { LimitedAudit } from "../../../service/audit/limited_audit.ts";
import { handshakeRecord } from "../../../service/audit/handshake_record.ts";
import type { AuditEntry } from "../../../service/audit/audit.ts";
import { FIRST, tamper, temporaryDirectory, write } from "../audit_record.ts";

Deno.test("AuditLog continues a record after a restart, in files that only their owner can read", async () => {
  await using dir = await temporaryDirectory();
  const directory = `${dir.path}/audit`;
  for (let life = 0; life < 3; life++) await write(directory, 5);
  const { problems, lines, firstSeq, lastSeq } = await verifyAudit(directory);
  assert.deepEqual({ problems, lines, firstSeq, lastSeq }, { problems: [], lines: 15, firstSeq: 1, lastSeq: 15 });
  assert.equal((await Deno.stat(directory)).mode! & 0o777, 0o700);
  for (const name of [FIRST, "audit.head"]) {
    assert.equal(
      (await Deno.stat(`${directory}/${name}`)).mode! & 0o777,
      0o600,
    );
  }
});

Deno.test("AuditLog begins new files by size, and records the removal of the oldest", async () => {
  await using dir = await temporaryDirectory();
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
    const { size } = await Deno.stat(`${dir.path}/audit-0000000${number}.jsonl`.replace(/0(\d{9})/, "$1"));
    assert.ok(size < 3_000);
  }
  // The audit log does not mention a file that somebody else removes.
  await Deno.remove(`${dir.path}/${`audit-${String(numbers[0]).padStart(8, "0")}`}.jsonl`);
  assert.match((await verifyAudit(dir.path)).problems.join(), /missing, and the audit log does not say why/);
});

Deno.test("AuditLog.open() cuts off an incomplete last line, and records that", async () => {
  await using dir = await temporaryDirectory();
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
  await using dir = await temporaryDirectory();
  await write(dir.path, 4);
  const head = await Deno.readTextFile(`${dir.path}/audit.head`);
  await write(dir.path, 4);
  await Deno.writeTextFile(`${dir.path}/audit.head`, head);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});

Deno.test("record() keeps the order of many entries at once", async () => {
  await using dir = await temporaryDirectory();
  {
    await using log = await AuditLog.open({ directory: dir.path });
    for (let index = 0; index < 5_000; index++) {
      log.record({ event: "call", job: String(index) });
      if (index % 100 === 0) await Promise.resolve();
    }
  }
  const lines = (await Deno.readTextFile(`${dir.path}/${FIRST}`)).trim().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).job),
    Array.from({ length: 5_000 }, (_, index) => String(index)),
  );
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});

Deno.test("record() keeps the order of urgent and other entries", async () => {
  await using dir = await temporaryDirectory();
  {
    await using log = await AuditLog.open({ directory: dir.path });
    for (let index = 0; index < 3_000; index++) {
      log.record({ event: "call", job: String(index) }, { soon: index % 700 === 699 });
      if (index % 1_000 === 0) await log.idle();
    }
  }
  const lines = (await Deno.readTextFile(`${dir.path}/${FIRST}`)).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ job }) => job), Array.from({ length: 3_000 }, (_, index) => String(index)));
  assert.deepEqual(lines.map(({ time }) => time), lines.map(({ time }) => time).sort());
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});

Deno.test(
  "AuditLog refuses changes on a full disk, bounds the waiting entries, and writes them later",
  async () => {
    await using dir = await temporaryDirectory();
    const errors: unknown[] = [];
    let full = false;
    const write = (file: Deno.FsFile, bytes: Uint8Array) => {
      if (!full) return file.write(bytes);
      // Like a disk that has little room.
      return file.write(bytes.subarray(0, 10)).then(() => {
        throw new Deno.errors.WriteZero("no space left on device");
      });
    };
    {
      await using log = await AuditLog.open({ directory: dir.path, onError: (error) => errors.push(error), write });
      log.record({ event: "call", job: "before" });
      await log.ready();
      await log.idle();
      full = true;
      const text = "x".repeat(100_000);
      for (let index = 0; index < 100; index++) log.record({ event: "call", text });
      await log.idle();
      await assert.rejects(log.ready(), { code: "NOT_RECORDED" });
      assert.equal(errors.length, 1);
      full = false;
      await log.ready();
      log.record({ event: "call", job: "after" });
    }
    const found = await verifyAudit(dir.path);
    assert.deepEqual(found.problems, []);
    const lines = (await Deno.readTextFile(`${dir.path}/${FIRST}`)).trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines[0].job, "before");
    assert.match(lines.at(-2).text, /^Lost \d+ decisions/);
    assert.equal(lines.at(-1).job, "after");
    const lost = Number(/\d+/.exec(lines.at(-2).text)![0]);
    assert.equal(lines.length - 3 + lost, 100);
  },
);

Deno.test("AuditLog removes a file after the audit log says so, and a crash in between leaves it whole", async () => {
  await using dir = await temporaryDirectory();
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
  await using dir = await temporaryDirectory();
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

Deno.test("chainLine() shortens a line of megabytes, and the audit log continues after it", async () => {
  await using dir = await temporaryDirectory();
  {
    await using log = await AuditLog.open({ directory: dir.path });
    log.record({
      event: "call",
      user: "ann",
      call: "Register",
      rule: "x".repeat(3_000_000),
      code: "OK",
      allowed: true,
    });
  }
  await write(dir.path, 1);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
  const [line] = (await Deno.readTextFile(`${dir.path}/${FIRST}`)).split("\n").map((line) => line && JSON.parse(line));
  assert.deepEqual([line.user, line.call, line.code, line.allowed, line.rule], [
    "ann",
    "Register",
    "OK",
    true,
    undefined,
  ]);
  assert.match(line.text, /left out: it had 3000\d\d\d characters/);
});

Deno.test("AuditLog.open() reports a missing head and writes a new one", async () => {
  for (const damage of [(path: string) => Deno.remove(path), (path: string) => Deno.writeTextFile(path, "hello")]) {
    await using dir = await temporaryDirectory();
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

Deno.test("AuditLog.open() finds no problem in a record without lines", async () => {
  await using dir = await temporaryDirectory();
  await using log = await AuditLog.open({ directory: dir.path });
  assert.equal(log.problem, undefined);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});

const missing: [string, (directory: string) => Promise<void>][] = [
  ["lines cut off the end", (directory) => tamper(`${directory}/${FIRST}`, (lines) => lines.slice(0, -3))],
  ["all lines", (directory) => tamper(`${directory}/${FIRST}`, () => [])],
  ["the files", (directory) => Deno.remove(`${directory}/${FIRST}`)],
  [
    "the last line as it was",
    (directory) => tamper(`${directory}/${FIRST}`, (lines) => lines.with(-1, lines.at(-1)!.replace("ann", "bob"))),
  ],
];

for (const [what, change] of missing) {
  Deno.test(`AuditLog.open() reports a record without ${what}, and verifyAudit() still finds that`, async () => {
    await using dir = await temporaryDirectory();
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

Deno.test("handshakeRecord() records some refused connections, and the number of all", () => {
  const entries: AuditEntry[] = [];
  let nowMs = 0;
  using audit = new LimitedAudit(
    { record: (entry) => entries.push(entry), ready: () => Promise.resolve() },
    () => nowMs,
  );
  const tell = handshakeRecord(audit);
  for (let index = 0; index < 1_000; index++) tell({ peer: "192.0.2.1:1", reason: "no certificate" });
  assert.equal(entries.length, 50);
  nowMs = 1_000;
  for (let index = 0; index < 1_000; index++) tell({ peer: "192.0.2.1:1", reason: "no certificate" });
  assert.equal(entries.length, 60);
  assert.equal(entries[50]!.text, "950 more since the last entry are not recorded");
  assert.deepEqual(
    [entries[0]!.event, entries[0]!.allowed, entries[0]!.rule, entries[0]!.peer],
    ["handshake", false, "no certificate", "192.0.2.1:1"],
  );
});
