/** The reports about connections and calls, in the log and in the audit log. */
import assert from "node:assert/strict";
import type { LogFields, Logger } from "../../base/logger.ts";
import type { CallObserver } from "../../rpc/server/call_observer.ts";
import type { AuditEntry } from "../../service/audit/audit.ts";
import { logToAudit } from "../../teleportd/log_to_audit.ts";
import { LimitedLog } from "../../teleportd/log/limited_log.ts";
import { callLog, observers, wireEvents } from "../../teleportd/wire_events.ts";

/** A log and an audit log in memory. */
function targets() {
  const lines: [string, string, LogFields | undefined][] = [];
  const entries: AuditEntry[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) => void lines.push([level, message, fields]);
  const log: Logger = { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") };
  const audit = { record: (entry: AuditEntry) => void entries.push(entry), ready: () => Promise.resolve() };
  return { lines, entries, log, audit };
}

Deno.test("wireEvents() logs internal errors with their stack, and a refused call once a second", () => {
  const { lines, log, audit } = targets();
  using limitedLog = new LimitedLog(log);
  const events = wireEvents({ log, limitedLog, audit });
  const error = new TypeError("no");
  events.onInternalError(error, "/teleport.v1.JobWorker/List");
  events.onLimit("calls", 'ann"\n');
  events.onLimit("calls", "bob");
  assert.deepEqual(lines[0], ["error", "Internal error in /teleport.v1.JobWorker/List: TypeError: no", {
    method: "/teleport.v1.JobWorker/List",
    stack: error.stack,
  }]);
  assert.equal(lines.length, 2);
  assert.equal(lines[1]?.[1], 'Refused a call beyond --max-calls-per-user, user "ann\\"\\n"');
  assert.deepEqual(lines[1]?.[2], { kind: "LIMIT_calls", cause: "calls", user: 'ann"\n' });
});

Deno.test("wireEvents() records the call of a certificate that is not accepted any more", () => {
  const { entries, lines, log, audit } = targets();
  using limitedLog = new LimitedLog(log);
  const signal = new AbortController().signal;
  wireEvents({ log, limitedLog, audit }).onRefused(
    { method: "/teleport.v1.JobWorker/List", peer: "127.0.0.1:1", signal },
    new Error("revoked"),
  );
  const { event, call, allowed, rule, code, peer } = entries[0]!;
  assert.deepEqual([event, call, allowed, rule, code, peer], [
    "call",
    "List",
    false,
    "revoked",
    "UNAUTHENTICATED",
    "127.0.0.1:1",
  ]);
  assert.deepEqual(lines, []);
});

Deno.test("auditedLog() records the events of the server, and no details", () => {
  const { entries, lines, log, audit } = targets();
  const both = logToAudit(log, audit);
  both.error("one", { part: "policy" });
  both.warn("two");
  both.info("three");
  both.debug("four");
  assert.deepEqual(lines.map(([level, message]) => `${level} ${message}`), [
    "error one",
    "warn two",
    "info three",
    "debug four",
  ]);
  assert.deepEqual(entries, ["one", "two", "three"].map((text) => ({ event: "server", text })));
});

Deno.test("observers() combines observers, and callLog() logs the end of a call", () => {
  const { lines, log } = targets();
  const seen: string[] = [];
  const other: CallObserver = {
    begun: (method) => void seen.push(`begun ${method}`),
    ended: (method, code) => void seen.push(`ended ${method} ${code}`),
  };
  const combined = observers(undefined, other, callLog(log));
  combined?.begun("m");
  combined?.ended("m", "OK", 1.6);
  assert.deepEqual(seen, ["begun m", "ended m OK"]);
  assert.deepEqual(lines, [["debug", "Call m ended with OK after 2 ms", { method: "m", code: "OK", duration_ms: 2 }]]);
  assert.equal(observers(undefined, undefined), undefined);
  assert.equal(observers(other, undefined), other);
});
