/** The audit record: whole after anything but a change, and never quiet about one. */
import assert from "node:assert/strict";
import { AuditLog, type AuditLogOptions } from "../../service/audit_log.ts";
import { auditFileNumbers } from "../../service/audit_files.ts";
import { verifyAudit } from "../../service/audit_verify.ts";
import { handshakeRecord } from "../../service/handshake_record.ts";
import type { AuditEntry } from "../../service/audit.ts";
import { strict } from "./fixture.ts";

async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "teleport-audit-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Writes so many decisions. */
async function write(directory: string, count: number, options: Partial<AuditLogOptions> = {}): Promise<void> {
  await using log = await AuditLog.open({ directory, ...options });
  for (let index = 0; index < count; index++) log.record({ event: "call", user: "ann", call: "Status", code: "OK" });
}

const FIRST = "audit-00000001.jsonl";

/** Changes the lines of a file. */
async function tamper(path: string, change: (lines: string[]) => string[]): Promise<void> {
  const lines = (await Deno.readTextFile(path)).split("\n").slice(0, -1);
  await Deno.writeTextFile(path, change(lines).map((line) => `${line}\n`).join(""));
}

Deno.test(
  "a record is whole, also when it was written in several lives, and readable by its owner alone",
  strict,
  async () => {
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
  },
);

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
  ["a foreign line", (lines) => lines.toSpliced(3, 0, "hello"), /line 4: it is no line of an audit record/],
  ["a forged line", (lines) => lines.with(3, lines[3]!.replace(/"seq":4/, '"seq":5')), /missing|comes after/],
];

for (const [what, change, sentence] of changes) {
  Deno.test(`verifyAudit() finds ${what}`, strict, async () => {
    await using dir = await temporaryDirectory();
    await write(dir.path, 10);
    assert.deepEqual((await verifyAudit(dir.path)).problems, []);
    await tamper(`${dir.path}/${FIRST}`, change);
    assert.match((await verifyAudit(dir.path)).problems.join("\n"), sentence);
  });
}

Deno.test("verifyAudit() finds a file that is gone, and a head that is gone", strict, async () => {
  await using dir = await temporaryDirectory();
  for (let life = 0; life < 3; life++) await write(dir.path, 10, { maxFileBytes: 1 });
  const numbers = await auditFileNumbers(dir.path);
  assert.ok(numbers.length >= 3);
  await Deno.rename(`${dir.path}/audit-00000002.jsonl`, `${dir.path}/elsewhere`);
  assert.match((await verifyAudit(dir.path)).problems.join(), /lines before it are missing/);
  await Deno.rename(`${dir.path}/elsewhere`, `${dir.path}/audit-00000002.jsonl`);
  await Deno.remove(`${dir.path}/audit.head`);
  assert.match((await verifyAudit(dir.path)).problems.join(), /"audit.head" is missing/);
});

Deno.test("verifyAudit() takes one file for itself, wherever it begins", strict, async () => {
  await using dir = await temporaryDirectory();
  for (let life = 0; life < 3; life++) await write(dir.path, 10, { maxFileBytes: 1 });
  const path = `${dir.path}/audit-00000002.jsonl`;
  assert.deepEqual((await verifyAudit(path)).problems, []);
  await tamper(path, (lines) => lines.toSpliced(1, 1));
  assert.equal((await verifyAudit(path)).problems.length, 1);
});

Deno.test("files follow each other by size; the oldest go, which the record says and proves", strict, async () => {
  await using dir = await temporaryDirectory();
  await using log = await AuditLog.open({ directory: dir.path, maxFileBytes: 2_000, maxFiles: 3 });
  for (let index = 0; index < 60; index++) {
    log.record({ event: "call", user: "ann", call: "Status", code: "OK" });
    // In batches of one, so that the size decides.
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
  // Had somebody else removed one more, the record would not say so.
  await Deno.remove(`${dir.path}/${`audit-${String(numbers[0]).padStart(8, "0")}`}.jsonl`);
  assert.match((await verifyAudit(dir.path)).problems.join(), /missing, and the record does not say why/);
});

Deno.test("a last line that a crash has torn is cut off, which the record says", strict, async () => {
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
    /^\{"seq":5,.*Cut off a last line of 12 bytes, torn by a crash/,
  );
});

Deno.test("a head that a crash left behind is no finding", strict, async () => {
  await using dir = await temporaryDirectory();
  await write(dir.path, 4);
  const head = await Deno.readTextFile(`${dir.path}/audit.head`);
  await write(dir.path, 4);
  await Deno.writeTextFile(`${dir.path}/audit.head`, head);
  assert.deepEqual((await verifyAudit(dir.path)).problems, []);
});

Deno.test("many decisions at once come in order, none lost", strict, async () => {
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

Deno.test(
  "when the disk is full nothing may be changed; what waits is bounded, counted, and written once there is room",
  strict,
  async () => {
    await using dir = await temporaryDirectory();
    const errors: unknown[] = [];
    let full = false;
    const write = (file: Deno.FsFile, bytes: Uint8Array) => {
      if (!full) return file.write(bytes);
      // As a disk does it that has room for a little more.
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

Deno.test("handshakeRecord() writes a crowd of strangers down in part, and how many there were in all", () => {
  const entries: AuditEntry[] = [];
  let nowMs = 0;
  const tell = handshakeRecord({ record: (entry) => entries.push(entry), ready: () => Promise.resolve() }, () => nowMs);
  for (let index = 0; index < 1_000; index++) tell({ peer: "192.0.2.1:1", reason: "no certificate" });
  assert.equal(entries.length, 50);
  nowMs = 1_000;
  for (let index = 0; index < 1_000; index++) tell({ peer: "192.0.2.1:1", reason: "no certificate" });
  assert.equal(entries.length, 60);
  assert.equal(entries[50]!.text, "950 more since the line before are not written down");
  assert.deepEqual(
    [entries[0]!.event, entries[0]!.allowed, entries[0]!.rule, entries[0]!.peer],
    ["handshake", false, "no certificate", "192.0.2.1:1"],
  );
});
