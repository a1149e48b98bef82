/** Audit entries on the disk: their order, and full disks. */
import assert from "node:assert/strict";
import { AuditLog } from "../../../service/audit/log.ts";
import { verifyAudit } from "../../../service/audit/verify.ts";
import { LimitedAudit } from "../../../service/audit/limited_audit.ts";
import { auditHandshakes } from "../../../service/audit/handshake_audit.ts";
import type { AuditEntry } from "../../../service/audit/audit.ts";
import { FIRST, write } from "../audit_fixture.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("AuditLog continues an audit log after a restart, in files that only their owner can read", async () => {
  await using dir = await tempDir();
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

Deno.test("record() keeps the order of many entries at once", async () => {
  await using dir = await tempDir();
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
  await using dir = await tempDir();
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
    await using dir = await tempDir();
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

Deno.test("chainLine() shortens a line of megabytes, and the audit log continues after it", async () => {
  await using dir = await tempDir();
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

Deno.test("auditHandshakes() records some refused connections, and the number of all", () => {
  const entries: AuditEntry[] = [];
  let nowMs = 0;
  using audit = new LimitedAudit(
    { record: (entry) => entries.push(entry), ready: () => Promise.resolve() },
    () => nowMs,
  );
  const tell = auditHandshakes(audit);
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
