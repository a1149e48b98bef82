/** The limits of a caller's audit entries: no caller can push older entries out, and every call is counted. */
import assert from "node:assert/strict";
import { LimitedAudit } from "../../../service/audit/limited_audit.ts";
import type { AuditEntry } from "../../../service/audit/audit.ts";

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

/** The number of full entries, and of the calls that entries count. */
function counted(entries: readonly AuditEntry[]): number {
  const texts = entries.map(({ text }) => Number(/^(\d+) more /.exec(text ?? "")?.[1] ?? 0));
  const summaries = entries.filter(({ text }) => / more (denied|calls)/.test(text ?? "")).length;
  return texts.reduce((sum, count) => sum + count, 0) + entries.length - summaries;
}

Deno.test("LimitedAudit counts denied calls of one caller beyond a rate, and records those of another", () => {
  const { entries, audit, pass } = recorder();
  for (let count = 0; count < 6_000; count++) audit.record(denied("a"));
  assert.equal(entries.length, 60);
  audit.record(denied("b"));
  assert.equal(entries.length, 61);
  pass(60_000);
  audit.record(denied("a"));
  assert.equal(entries.at(-1)?.text, "5940 more since the last entry are not recorded");
  for (let count = 0; count < 500; count++) audit.record(denied("a"));
  audit[Symbol.dispose]();
  assert.equal(counted(entries), 6_502);
  assert.equal(entries.at(-1)?.user, "eve");
});

Deno.test("LimitedAudit records all calls that change something, and reads up to a rate", () => {
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

Deno.test("LimitedAudit applies one rate to all callers, and distinguishes a bounded number of them", () => {
  const { entries, audit } = recorder();
  for (let caller = 0; caller < 5_000; caller++) {
    for (let count = 0; count < 3; count++) audit.record(denied(`caller ${caller}`));
  }
  assert.equal(entries.length, 600);
  audit[Symbol.dispose]();
  assert.ok(entries.length < 600 + 1_002);
  assert.equal(counted(entries), 15_000);
});

Deno.test("LimitedAudit names the jobs whose output was read among many calls", () => {
  const { entries, audit, pass } = recorder();
  const read = { event: "call", user: "eve", fingerprint: "a", issuer: "CN=x", call: "Status", allowed: true } as const;
  for (let count = 0; count < 10_000; count++) audit.record(read, { soon: false });
  const written = entries.length;
  for (const job of ["1", "2", "1"]) audit.record({ ...read, call: "GetOutput", job }, { soon: false });
  assert.equal(entries.length, written);
  // A full entry says how many calls are not recorded. The summary still names the jobs.
  pass(60_000);
  audit.record(read, { soon: false });
  assert.match(entries.at(-1)?.text ?? "", /^3 more /);
  audit[Symbol.dispose]();
  const { user, issuer, text } = entries.at(-1)!;
  assert.deepEqual([user, issuer], ["eve", "CN=x"]);
  assert.match(text ?? "", /read the output of 1, 2$/);
});

Deno.test("LimitedAudit names at most 20 jobs in a summary, and no caller if it counts several", () => {
  const { entries, audit } = recorder();
  const read = { event: "call", user: "eve", fingerprint: "a", call: "GetOutput", allowed: true } as const;
  for (let job = 0; job < 10_100; job++) audit.record({ ...read, job: `${job}` }, { soon: false });
  audit[Symbol.dispose]();
  assert.match(entries.at(-1)?.text ?? "", /^100 more .* 10000, .*, 10019 and others$/);

  const crowd = recorder();
  for (let caller = 0; caller < 1_100; caller++) crowd.audit.record(denied(`caller ${caller}`));
  crowd.audit[Symbol.dispose]();
  const shared = crowd.entries.filter(({ text, fingerprint }) => text !== undefined && fingerprint === undefined);
  assert.equal(shared.length, 1);
});
