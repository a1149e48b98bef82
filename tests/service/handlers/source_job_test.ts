/** Register with `like` and `rerun`: what is taken from the other job, and who may take it. */
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import type { AuditEntry } from "../../../service/audit/audit.ts";
import { createService } from "../../../service/handlers/service.ts";
import { all, certificateOf, clientOf, codeOf, startService } from "../../support/service.ts";

const ann = certificateOf("ann", "operator");
const bob = certificateOf("bob", "operator");
const eve = certificateOf("eve", "operator", "viewer");
const root = certificateOf("root", "admin");
const MISSING = "01890000-0000-7000-8000-000000000000";
const SHOW = { command: "sh", args: ["-c", "echo $A $B; pwd"] };

/** Runs a job and returns its output as text. */
async function outputOf(calls: ReturnType<typeof clientOf>, id: string): Promise<string> {
  await all(calls.Start({ id }));
  const chunks = await all(calls.GetOutput({ id }));
  return chunks.map(({ data }) => new TextDecoder().decode(data)).join("");
}

Deno.test("Register with like takes the directory and the variables that the request does not give", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { id: like } = await calls.Register({ ...SHOW, env: { A: "1", B: "2" }, cwd: "/tmp" });
  assert.equal(await outputOf(calls, (await calls.Register({ ...SHOW, like })).id), "1 2\n/tmp\n");
  const { id } = await calls.Register({ ...SHOW, like, env: { B: "3" }, cwd: "/" });
  assert.equal(await outputOf(calls, id), "1 3\n/\n");
});

Deno.test("Register with rerun repeats a job that has ended, and one that has not", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const first = await calls.Register({
    ...SHOW,
    env: { A: "1" },
    cwd: "/tmp",
    labels: { a: "b" },
    name: "show",
    timeout_ms: 9_000,
    umask: 0o77,
    rlimits: { open_files: 64 },
  });
  for (let round = 0; round < 2; round++) {
    const again = await calls.Register({ rerun: first.id });
    const { rerun_of, name, labels, timeout_ms, rlimits, cwd, command, args } = again;
    assert.deepEqual([rerun_of, name, { ...labels }, timeout_ms], [first.id, "", { a: "b" }, 9_000]);
    assert.deepEqual([rlimits, cwd, command, args], [first.rlimits, first.cwd, first.command, first.args]);
    assert.equal(await outputOf(calls, again.id), "1\n/tmp\n");
    assert.equal((await calls.Status({ id: again.id })).rerun_of, first.id);
    if (round === 0) await outputOf(calls, first.id);
  }
  const renamed = await calls.Register({ rerun: first.id, name: "again", labels: { x: "y" } });
  assert.deepEqual([renamed.name, { ...renamed.labels }], ["again", { x: "y" }]);
  assert.equal(await codeOf(() => calls.Register({ rerun: first.id, name: "again" })), "NAME_TAKEN");
});

Deno.test("Register refuses like and rerun of a job whose environment is not the caller's", async () => {
  await using service = startService();
  const { id } = await service.as(ann).Register({ ...SHOW, env: { A: "secret" } });
  for (const request of [{ ...SHOW, like: id }, { rerun: id }]) {
    assert.equal(await codeOf(() => service.as(bob).Register(request)), "JOB_NOT_FOUND");
    // She sees the job, but its environment is not in its status.
    assert.equal(await codeOf(() => service.as(eve).Register(request)), "PERMISSION_DENIED");
    assert.equal((await service.as(root).Register(request)).owner, "root");
  }
  for (const request of [{ ...SHOW, like: MISSING }, { rerun: MISSING }]) {
    assert.equal(await codeOf(() => service.as(ann).Register(request)), "JOB_NOT_FOUND");
  }
  const mixed = [{ rerun: id, command: "true" }, { rerun: id, env: { A: "x" } }, { rerun: id, like: id }, {
    rerun: id,
    timeout_ms: 9,
  }];
  for (const request of mixed) {
    assert.equal(await codeOf(() => service.as(ann).Register(request)), "INVALID_ARGUMENT");
  }
});

Deno.test("the audit entry of Register has the job that it repeats, and the command", async () => {
  const entries: AuditEntry[] = [];
  await using supervisor = new Supervisor();
  const audit = { record: (entry: AuditEntry) => void entries.push(entry), ready: () => Promise.resolve() };
  const calls = clientOf(createService(supervisor, { audit }), ann);
  const { id } = await calls.Register({ command: "true" });
  const again = await calls.Register({ rerun: id });
  const entry = entries.findLast(({ call }) => call === "Register");
  assert.deepEqual([entry?.job, entry?.rerunOf, entry?.command], [again.id, id, "true"]);
});
