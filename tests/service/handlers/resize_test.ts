/** Jobs on a terminal on the wire: Register, Resize, permissions and audit entries. */
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import type { AuditEntry } from "../../../service/audit/audit.ts";
import { createService } from "../../../service/handlers/service.ts";
import { parsePolicy } from "../../../service/policy/file.ts";
import { deadline } from "../../support/deadline.ts";
import { all, certificateOf, clientOf, codeOf, first, once, startService } from "../../support/service.ts";

const ADA = certificateOf("ada", "operator");
const terminal = { columns: 80, rows: 24 };
const encoder = new TextEncoder();

Deno.test("a job on a terminal gets keys and sizes, and its output is one stream", async () => {
  await using service = startService();
  const calls = service.as(ADA);
  const script = "trap 'stty size' WINCH; echo up >&2; read line; read line; exit 4";
  const registered = await calls.Register({ command: "sh", args: ["-c", script], terminal });
  const { id } = registered;
  assert.deepEqual([registered.terminal, registered.input], [true, true]);
  await first(calls.Start({ id }));
  await first(calls.GetOutput({ id }));
  const status = await calls.Resize({ id, size: { columns: 132, rows: 43 } });
  assert.deepEqual([status.state, status.terminal], ["STATE_RUNNING", true]);
  await calls.Input(once({ id, data: encoder.encode("key\n\n") }));
  const chunks = await deadline(all(calls.GetOutput({ id })), "the output");
  assert.deepEqual(new Set(chunks.slice(0, -1).map(({ stream }) => stream)), new Set(["STREAM_STDOUT"]));
  const text = await new Blob(chunks.map(({ data }) => data as Uint8Array<ArrayBuffer>)).text();
  assert.match(text, /^up\r\n[^]*43 132\r\n/);
  assert.match(text, /key\r\n/);
  const end = await calls.Status({ id });
  assert.deepEqual([end.state, end.exit_code, end.terminal], ["STATE_EXITED", 4, true]);
  assert.equal(await codeOf(() => calls.Resize({ id, size: terminal })), "JOB_NOT_RUNNING");
});

Deno.test("Register and Resize refuse a size out of range, and Resize a missing one", async () => {
  await using service = startService();
  const calls = service.as(ADA);
  for (const size of [{}, { columns: 80 }, { columns: 10_001, rows: 1 }, { columns: 0, rows: 1 }]) {
    assert.equal(await codeOf(() => calls.Register({ command: "true", terminal: size })), "INVALID_ARGUMENT");
  }
  const { id } = await calls.Register({ command: "sleep", args: ["1000"], terminal });
  assert.equal(await codeOf(() => calls.Resize({ id, size: terminal })), "JOB_NOT_RUNNING");
  await first(calls.Start({ id }));
  for (const size of [{}, { columns: 4_294_967_295, rows: 1 }]) {
    assert.equal(await codeOf(() => calls.Resize({ id, size })), "INVALID_ARGUMENT");
  }
  assert.equal(await codeOf(() => calls.Resize({ id })), "INVALID_ARGUMENT");
  await calls.Stop({ id });
});

Deno.test("a rule that allows Input allows Resize", async () => {
  await using supervisor = new Supervisor({ closeGraceMs: 100 });
  const policy = parsePolicy(`{ "roles": {
    "keys": [{ "calls": ["Register", "Input"], "jobs": "own" }],
    "none": [{ "calls": ["Register"], "jobs": "own" }]
  } }`);
  const service = createService(supervisor, { policy: () => policy });
  for (const [role, code] of [["keys", "JOB_NOT_RUNNING"], ["none", "PERMISSION_DENIED"]] as const) {
    const calls = clientOf(service, certificateOf(role, role));
    const { id } = await calls.Register({ command: "true", terminal });
    assert.equal(await codeOf(() => calls.Resize({ id, size: terminal })), code);
    assert.equal((await calls.CanI({ call: "Resize", id })).allowed, role === "keys");
  }
});

Deno.test("a role limited to commands gets a terminal only if its rule names it", async () => {
  await using supervisor = new Supervisor({ closeGraceMs: 100 });
  const rule = (options: string) =>
    `{ "calls": ["all"], "jobs": "own", "commands": [{ "path": "/bin/sh" }], "options": [${options}] }`;
  const policy = parsePolicy(`{ "roles": { "plain": [${rule("")}], "terminal": [${rule('"terminal"')}] } }`);
  const service = createService(supervisor, { policy: () => policy });
  const register = (role: string) => clientOf(service, certificateOf("ann", role));
  const job = { command: "/bin/sh", terminal };
  assert.equal(await codeOf(() => register("plain").Register(job)), "PERMISSION_DENIED");
  assert.equal((await register("terminal").Register(job)).terminal, true);
});

Deno.test("the audit entry of Register has the terminal, and each Resize has an entry", async () => {
  const entries: AuditEntry[] = [];
  await using supervisor = new Supervisor({ closeGraceMs: 100 });
  const audit = { record: (entry: AuditEntry) => void entries.push(entry), ready: () => Promise.resolve() };
  const calls = clientOf(createService(supervisor, { audit }), ADA);
  const { id } = await calls.Register({ command: "sleep", args: ["1000"], terminal });
  await first(calls.Start({ id }));
  await calls.Resize({ id, size: { columns: 1, rows: 1 } });
  await calls.Stop({ id });
  assert.deepEqual(entries.map(({ call, job, terminal }) => [call, job, terminal]), [
    ["Register", id, "80x24"],
    ["Start", id, undefined],
    ["Resize", id, undefined],
    ["Stop", id, undefined],
  ]);
});
