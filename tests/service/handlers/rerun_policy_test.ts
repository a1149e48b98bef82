/** Register with `like` and `rerun` under a policy: no way around its rules, and nothing that it hides. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import { parsePolicy } from "../../../service/policy/file.ts";
import { all, codeOf } from "../../support/service.ts";
import { recorded } from "../recorded_service.ts";

const ECHO = { path: "/bin/echo", args: ["[a-z]+"], env: ["LANG"] };

/** Returns a policy with a template that has a secret, and a role that may use it and one command. */
function policyOf({ says = "hello", templates = ["greet"], commands = [ECHO] } = {}) {
  return parsePolicy(JSON.stringify({
    roles: {
      admin: [{ calls: ["all"], jobs: "all" }],
      operator: [{ calls: ["all"], jobs: "own" }],
      greeter: [{ calls: ["all"], jobs: "own", commands, templates }],
      watcher: [{ calls: ["Status"], jobs: "all" }, { calls: ["Register", "Start"], jobs: "own" }],
    },
    templates: {
      greet: {
        command: "/bin/echo",
        args: [says, "{who}"],
        env: { TOKEN: "a-secret" },
        parameters: { who: { pattern: "[a-z]+" } },
      },
    },
  }));
}

async function outputOf(calls: JobWorkerClient, id: string): Promise<string> {
  await all(calls.Start({ id }));
  const chunks = await all(calls.GetOutput({ id }));
  return chunks.map(({ data }) => new TextDecoder().decode(data)).join("");
}

Deno.test("rerun of a job of a template expands the template of the policy in force with the same parameters", async () => {
  let policy = policyOf();
  await using service = recorded({ policy: () => policy });
  const calls = service.as("ann", "greeter");
  const first = await calls.Register({ template: "greet", parameters: { who: "you" } });
  const again = await calls.Register({ rerun: first.id });
  assert.equal(await outputOf(calls, again.id), "hello you\n");
  policy = policyOf({ says: "bye" });
  const changed = await calls.Register({ rerun: again.id });
  assert.equal(await outputOf(calls, changed.id), "bye you\n");
  policy = policyOf({ templates: [] });
  assert.equal(await codeOf(() => calls.Register({ rerun: first.id })), "PERMISSION_DENIED");
  assert.equal((await service.supervisor.list()).jobs.length, 3);
});

Deno.test("like of a job of a template is refused, so that its environment is not for other commands", async () => {
  await using service = recorded({ policy: () => policyOf() });
  for (const role of ["greeter", "operator"]) {
    const calls = service.as(role, role, "greeter");
    const { id } = await calls.Register({ template: "greet", parameters: { who: "you" } });
    const again = await calls.Register({ rerun: id });
    for (const like of [id, again.id]) {
      const refused = await calls.Register({ command: "/usr/bin/env", like }).then(() => "taken", String);
      assert.match(refused, /environment of a template is not for other commands/);
      assert.ok(!refused.includes("TOKEN") && !refused.includes("a-secret"), refused);
    }
  }
  assert.ok(!JSON.stringify(service.entries).includes("a-secret"));
});

Deno.test("rerun and like are decided by the rules in force, with what is taken from the other job", async () => {
  let policy = policyOf();
  await using service = recorded({ policy: () => policy });
  const calls = service.as("ann", "greeter");
  const { id } = await calls.Register({ command: "/bin/echo", args: ["hi"], env: { LANG: "C" } });
  assert.equal(await outputOf(calls, (await calls.Register({ rerun: id })).id), "hi\n");
  assert.equal(await codeOf(() => calls.Register({ command: "/bin/sh", like: id })), "PERMISSION_DENIED");
  policy = policyOf({ commands: [{ ...ECHO, env: [] }] });
  // The variable is not allowed any more, whether it is given or taken.
  assert.equal(await codeOf(() => calls.Register({ rerun: id })), "PERMISSION_DENIED");
  const like = { command: "/bin/echo", args: ["hi"], like: id };
  assert.equal(await codeOf(() => calls.Register(like)), "PERMISSION_DENIED");
  // Another role of the same user had registered a command that this role may not run.
  const shell = await service.as("ann", "operator").Register({ command: "/bin/sh" });
  assert.equal(await codeOf(() => calls.Register({ rerun: shell.id })), "PERMISSION_DENIED");
});

Deno.test("rerun with an input or a terminal needs a rule that allows it", async () => {
  await using service = recorded({ policy: () => policyOf() });
  const calls = service.as("ann", "greeter");
  const { id } = await calls.Register({ command: "/bin/echo", args: ["hi"] });
  const terminal = { columns: 80, rows: 24 };
  for (const more of [{ input: true }, { terminal }]) {
    assert.equal(await codeOf(() => calls.Register({ rerun: id, ...more })), "PERMISSION_DENIED");
    const again = await service.as("ann", "operator").Register({ rerun: id, ...more });
    assert.deepEqual([again.input !== null && again.input, again.terminal], [true, "terminal" in more]);
  }
});

Deno.test("another user's job is missing for rerun and like, or refused to those who only see it", async () => {
  await using service = recorded({ policy: () => policyOf() });
  const { id } = await service.as("bob", "operator").Register({ command: "true", env: { PASSWORD: "bob-secret" } });
  for (const request of [{ rerun: id }, { command: "/usr/bin/env", like: id }]) {
    assert.equal(await codeOf(() => service.as("ann", "operator").Register(request)), "JOB_NOT_FOUND");
    assert.equal(await codeOf(() => service.as("eve", "watcher").Register(request)), "PERMISSION_DENIED");
    assert.equal((await service.as("root", "admin").Register(request)).owner, "root");
  }
  const entry = service.entries.find(({ user, code }) => user === "ann" && code === "JOB_NOT_FOUND");
  assert.deepEqual([entry?.allowed, entry?.rule], [false, "another user's job"]);
  assert.ok(!JSON.stringify(service.entries).includes("bob-secret"));
});

Deno.test("a rerun that is sent again returns its job, also when the other job is removed", async () => {
  await using service = recorded();
  const calls = service.as("ann", "operator");
  const { id } = await calls.Register({ command: "true", labels: { a: "b" } });
  const request = { rerun: id, request_id: "r", name: "again" };
  const again = await calls.Register(request);
  assert.equal((await calls.Register(request)).id, again.id);
  await calls.Remove({ id });
  assert.equal((await calls.Register(request)).id, again.id);
  const entry = service.entries.at(-1);
  assert.deepEqual([entry?.call, entry?.allowed, entry?.code, entry?.job], ["Register", true, "OK", again.id]);
  for (
    const other of [
      { ...request, name: "other" },
      { ...request, labels: { x: "y" } },
      { ...request, input: true },
      { ...request, terminal: { columns: 80, rows: 24 } },
      { ...request, request_id: "s" },
      { ...request, rerun: again.id.replace(/.$/, (last) => last === "0" ? "1" : "0") },
    ]
  ) assert.equal(await codeOf(() => calls.Register(other)), "JOB_NOT_FOUND");
  assert.equal(await codeOf(() => service.as("bob", "operator").Register(request)), "JOB_NOT_FOUND");
  await calls.Remove({ id: again.id });
  assert.equal(await codeOf(() => calls.Register(request)), "JOB_NOT_FOUND");
});

Deno.test("CanI answers for rerun and like what Register would", async () => {
  await using service = recorded({ policy: () => policyOf() });
  const bob = await service.as("bob", "operator").Register({ command: "true" });
  const calls = service.as("ann", "greeter");
  const echo = await calls.Register({ command: "/bin/echo", args: ["hi"] });
  const greeting = await calls.Register({ template: "greet", parameters: { who: "you" } });
  const shell = await service.as("ann", "operator").Register({ command: "/bin/sh" });
  for (const { id } of [bob, echo, greeting, shell]) {
    for (const job of [{ rerun: id }, { rerun: id, cwd: "/" }, { command: "/bin/echo", args: ["hi"], like: id }]) {
      const { allowed, code } = await calls.CanI({ call: "Register", job });
      assert.deepEqual([allowed, code], [code === "OK", await codeOf(() => calls.Register(job))]);
    }
  }
  const entries = service.entries.filter(({ call }) => call === "CanI");
  assert.ok(entries.every(({ allowed, code }) => allowed && code === "OK"));
});

Deno.test("a rule for a command need not name the engine local on a server without an engine, as teleport cp sends it", async () => {
  await using service = recorded({ policy: () => policyOf() });
  const calls = service.as("ann", "greeter");
  const job = { command: "/bin/echo", args: ["hello"], engine: "local" };
  const { id } = await calls.Register(job);
  assert.equal(await outputOf(calls, id), "hello\n");
  assert.equal((await calls.CanI({ call: "Register", job })).allowed, true);
  assert.equal(await codeOf(() => calls.Register({ ...job, engine: "slurm" })), "PERMISSION_DENIED");
});
