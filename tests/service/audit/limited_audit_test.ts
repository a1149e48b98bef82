/** Callers cannot push history out of the audit record, and nothing is lost from the count. */
import assert from "node:assert/strict";
import { LimitedAudit } from "../../../service/audit/limited_audit.ts";
import type { AuditEntry } from "../../../service/audit.ts";

function recorder() {
  const entries: AuditEntry[] = [];
  let nowMs = 0;
  const audit = new LimitedAudit(
    { record: (entry) => entries.push(entry), ready: () => Promise.resolve() },
    () => nowMs,
  );
  return { entries, audit, pass: (ms: number) => nowMs += ms };
}

const denied = (fingerprint: string): AuditEntry => ({
  event: "call",
  user: "eve",
  fingerprint,
  call: "Status",
  allowed: false,
});

/** Lines in full, and those that lines count. */
function counted(entries: readonly AuditEntry[]): number {
  const texts = entries.map(({ text }) => Number(/^(\d+) more /.exec(text ?? "")?.[1] ?? 0));
  const summaries = entries.filter(({ text }) => / more (denied|calls)/.test(text ?? "")).length;
  return texts.reduce((sum, count) => sum + count, 0) + entries.length - summaries;
}

Deno.test("denied calls of one caller are written in part and counted in full; another's are not touched", () => {
  const { entries, audit, pass } = recorder();
  for (let count = 0; count < 6_000; count++) audit.record(denied("a"));
  assert.equal(entries.length, 60);
  audit.record(denied("b"));
  assert.equal(entries.length, 61);
  pass(60_000);
  audit.record(denied("a"));
  assert.equal(entries.at(-1)?.text, "5940 more since the line before are not written down");
  for (let count = 0; count < 500; count++) audit.record(denied("a"));
  audit[Symbol.dispose]();
  assert.equal(counted(entries), 6_502);
  assert.equal(entries.at(-1)?.user, "eve");
});

Deno.test("calls that change something are always written, reads up to a rate", () => {
  const { entries, audit } = recorder();
  const read: AuditEntry = { event: "call", fingerprint: "a", call: "Status", allowed: true };
  for (let count = 0; count < 20_000; count++) audit.record({ ...read, call: "Register" });
  assert.equal(entries.length, 20_000);
  for (let count = 0; count < 20_000; count++) audit.record(read, { soon: false });
  assert.equal(entries.length, 30_000);
  for (let count = 0; count < 100; count++) audit.record({ event: "server", text: "x" });
  audit[Symbol.dispose]();
  assert.equal(counted(entries), 40_100);
});

Deno.test("many certificates share one rate, and a bounded number is told apart", () => {
  const { entries, audit } = recorder();
  for (let caller = 0; caller < 5_000; caller++) {
    for (let count = 0; count < 3; count++) audit.record(denied(`caller ${caller}`));
  }
  assert.equal(entries.length, 600);
  audit[Symbol.dispose]();
  assert.ok(entries.length < 600 + 1_002);
  assert.equal(counted(entries), 15_000);
});
