/** The call Input: permissions, errors, answers and audit entries. */
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import type { Sent } from "../../../proto/service.ts";
import type { InputRequest, JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import type { AuditEntry } from "../../../service/audit/audit.ts";
import { createService } from "../../../service/handlers/service.ts";
import { parsePolicy } from "../../../service/policy/file.ts";
import {
  all,
  certificateOf,
  clientOf,
  codeOf,
  first,
  once,
  startService,
  type TestService,
} from "../../support/service.ts";

const encoder = new TextEncoder();
const ADA = certificateOf("ada", "operator");

/** A running job with an input. */
async function start(service: TestService, script: string): Promise<string> {
  const calls = service.as(ADA);
  const { id, input, input_bytes } = await calls.Register({ command: "sh", args: ["-c", script], input: true });
  assert.deepEqual([input, input_bytes], [true, 0]);
  await first(calls.Start({ id }));
  return id;
}

async function textOf(service: TestService, id: string): Promise<string> {
  const chunks = await all(service.as(ADA).GetOutput({ id }));
  return new TextDecoder().decode(await new Blob(chunks.map(({ data }) => data as Uint8Array<ArrayBuffer>)).bytes());
}

Deno.test("Input writes to a job, answers the number of bytes, and closes the input on request", async () => {
  await using service = startService();
  const calls = service.as(ADA);
  const id = await start(service, "cat");
  const part = await calls.Input(
    once<Sent<InputRequest>>({ id, data: encoder.encode("a\0") }, {}, { data: encoder.encode("b") }),
  );
  assert.deepEqual(part, { input_bytes: 3, taken_bytes: 3, input_closed: false });
  assert.deepEqual(
    await calls.Input(once<Sent<InputRequest>>({ id }, { data: encoder.encode("c"), end: true })),
    { input_bytes: 4, taken_bytes: 1, input_closed: true },
  );
  assert.equal(await textOf(service, id), "a\0bc");
  const { input, input_bytes, input_closed } = await calls.Status({ id });
  assert.deepEqual({ input, input_bytes, input_closed }, { input: true, input_bytes: 4, input_closed: true });
});

Deno.test("Input refuses a job that was registered without an input", async () => {
  await using service = startService();
  const calls = service.as(ADA);
  const { id, input, input_bytes, input_closed } = await calls.Register({ command: "true" });
  assert.deepEqual({ input, input_bytes, input_closed }, { input: false, input_bytes: 0, input_closed: false });
  assert.equal(await codeOf(() => calls.Input(once({ id }))), "NO_INPUT");
});

Deno.test("Register refuses a request id whose job differs in its input", async () => {
  await using service = startService();
  const calls = service.as(ADA);
  await calls.Register({ command: "true", request_id: "one", input: true });
  assert.equal(await codeOf(() => calls.Register({ command: "true", request_id: "one" })), "REQUEST_ID_REUSED");
});

Deno.test("Input refuses bad messages, each with its code", async () => {
  await using service = startService();
  const calls = service.as(ADA);
  const id = await start(service, "cat");
  const bad: [string, Sent<InputRequest>[], string][] = [
    ["no message", [], "INVALID_ARGUMENT"],
    ["no job", [{}], "JOB_NOT_FOUND"],
    ["a second id", [{ id }, { id }], "INVALID_ARGUMENT"],
    ["a second writer", [{ id }, { writer: "x" }], "INVALID_ARGUMENT"],
    ["a second offset", [{ id }, { offset: 0 }], "INVALID_ARGUMENT"],
    ["too large a chunk", [{ id }, { data: new Uint8Array(262_145) }], "INVALID_ARGUMENT"],
    ["too long a name", [{ id, writer: "x".repeat(129) }], "INVALID_ARGUMENT"],
    ["a place beyond the end", [{ id, offset: 1 }], "INPUT_OFFSET"],
  ];
  for (const [what, messages, code] of bad) {
    assert.equal(await codeOf(() => calls.Input(once(...messages))), code, what);
  }
  await calls.Input(once({ id, data: encoder.encode("still open"), end: true }));
  assert.equal(await textOf(service, id), "still open");
});

Deno.test("Input answers the bytes accepted so far when the job ends", async () => {
  await using service = startService();
  const calls = service.as(ADA);
  const id = await start(service, "read -r line");
  async function* messages() {
    yield { id, data: encoder.encode("line\n") };
    await new Promise(() => {}); // Never.
  }
  assert.deepEqual(await calls.Input(messages()), { input_bytes: 5, taken_bytes: 5, input_closed: true });
  await all(calls.StatusStream({ id }));
  assert.equal(await codeOf(() => calls.Input(once({ id }))), "JOB_NOT_RUNNING");
});

Deno.test("Input ends when its call is aborted, and the input stays open", async () => {
  await using service = startService();
  const calls = service.as(ADA);
  const id = await start(service, "cat");
  const early = AbortSignal.abort(new Error("early"));
  await assert.rejects(calls.Input(once({ id, data: encoder.encode("lost") }), { signal: early }), /early/);
  const stop = new AbortController();
  const late = calls.Input(
    (async function* () {
      yield { id, data: encoder.encode("kept") };
      stop.abort(new Error("late"));
      await new Promise(() => {});
    })(),
    { signal: stop.signal },
  );
  await assert.rejects(late, /late/);
  await calls.Input(once({ id, end: true }));
  assert.equal(await textOf(service, id), "kept");
});

Deno.test("Input is recorded once when it begins, without its data", async () => {
  const entries: AuditEntry[] = [];
  await using supervisor = new Supervisor({ closeGraceMs: 100 });
  const audit = { record: (entry: AuditEntry) => void entries.push(entry), ready: () => Promise.resolve() };
  const calls = clientOf(createService(supervisor, { audit }), ADA);
  const { id } = await calls.Register({ command: "cat", input: true });
  await first(calls.Start({ id }));
  entries.length = 0;
  const begun = Promise.withResolvers<AuditEntry | undefined>();
  const finish = Promise.withResolvers<void>();
  const call = calls.Input((async function* () {
    yield { id, data: encoder.encode("secret") };
    begun.resolve(entries[0]);
    await finish.promise;
    yield { end: true };
  })());
  const entry = await begun.promise;
  assert.deepEqual(
    [entry?.event, entry?.call, entry?.job, entry?.user, entry?.allowed, entry?.code, entry?.rule],
    ["call", "Input", id, "ada", true, "OK", "operator/1"],
  );
  finish.resolve();
  await call;
  assert.equal(await codeOf(() => calls.Input(once({ id: "other" }))), "JOB_NOT_FOUND");
  assert.deepEqual(entries.map(({ call, allowed, code }) => [call, allowed, code]), [
    ["Input", true, "OK"],
    ["Input", false, "JOB_NOT_FOUND"],
  ]);
  assert.doesNotMatch(JSON.stringify(entries), /secret/);
});

Deno.test("Register lets a role limited to commands use an input only if its rule names it", async () => {
  await using supervisor = new Supervisor({ closeGraceMs: 100 });
  const rule = { calls: ["all"], jobs: "own", commands: [{ path: "/bin/sh" }] };
  const policy = parsePolicy(JSON.stringify({
    roles: { limited: [rule], named: [{ ...rule, options: ["input"] }] },
  }));
  const service = createService(supervisor, { policy: () => policy });
  const register = (role: string, input: boolean): Promise<JobStatus> =>
    clientOf(service, certificateOf("ada", role)).Register({ command: "/bin/sh", input });
  // A shell runs the program that it reads from its input.
  assert.equal(await codeOf(() => register("limited", true)), "PERMISSION_DENIED");
  assert.equal(await codeOf(() => register("limited", false)), "OK");
  assert.equal(await codeOf(() => register("named", true)), "OK");
});
