/** The audit entries of calls: one for each call, with the caller and the rule, and without secrets. */
import assert from "node:assert/strict";
import type { CallName } from "../../../proto/service.ts";
import { methods } from "../../../rpc/shared/definition.ts";
import { parsePolicy } from "../../../service/policy/file.ts";
import { all, certificateOf, codeOf, contextOf, first, methodOf } from "../../support/service.ts";
import { recorded } from "../recorded_service.ts";
import { CALLS, EVERY_CALL } from "../policy_table.ts";
import { jobCounts } from "../../support/job_counts.ts";

Deno.test("audited() records every call once, with its job, its rule and its code", async () => {
  await using service = recorded();
  const calls = service.as("ann", "operator");
  const { id } = await calls.Register({ command: "true" });
  await all(calls.Start({ id }));
  await all(calls.StatusStream({ id }));
  await calls.Status({ id });
  await calls.Stop({ id });
  await all(calls.GetOutput({ id }));
  await codeOf(() => calls.Signal({ id, signal: "TERM" }));
  await calls.List({});
  await calls.Remove({ id });
  const line = { user: "ann", allowed: true, rule: "operator/1", code: "OK", job: id };
  assert.deepEqual(service.take(), [
    { ...line, call: "Register" },
    { ...line, call: "Start" },
    { ...line, call: "StatusStream" },
    { ...line, call: "Status" },
    { ...line, call: "Stop" },
    { ...line, call: "GetOutput" },
    { ...line, call: "Signal", code: "JOB_NOT_RUNNING" },
    { ...line, call: "List", job: undefined },
    { ...line, call: "Remove" },
  ]);
});

Deno.test("audited() records every call of the definition once, allowed or denied", async () => {
  await using service = recorded();
  for (const name of Object.keys(methods) as CallName[]) {
    for (const role of ["operator", "unheard-of"]) {
      const id = await service.supervisor.add("true", [], { owner: "ann" });
      const code = await codeOf(() => EVERY_CALL[name](service.as("ann", role), id));
      const lines = service.take();
      assert.deepEqual(lines.map((line) => [line.user, line.call, line.code]), [["ann", name, code]], name);
      assert.equal(lines[0]!.allowed, role === "operator", name);
      if (name in CALLS && role === "operator") assert.equal(lines[0]!.job, id, name);
    }
  }
});

Deno.test("audited() records the reason of a denial by role, by job or by certificate", async () => {
  await using service = recorded();
  const id = await service.supervisor.add("true", [], { owner: "bob" });
  const missing = "01890000-0000-7000-8000-000000000000";
  await codeOf(() => service.as("eve", "viewer").Stop({ id }));
  await codeOf(() => service.as("ann", "operator").Status({ id }));
  await codeOf(() => service.as("ann", "operator").Status({ id: missing }));
  await codeOf(() => service.as("ann", "operator", "viewer").Stop({ id }));
  await codeOf(() => first(service.as("ann", "operator").GetOutput({ id })));
  assert.throws(() => service.service.admit(contextOf(methodOf("List"), undefined)));
  assert.throws(() => service.service.admit(contextOf("/grpc.health.v1.Health/Check", certificateOf("", "admin"))));
  const lines = service.take();
  assert.deepEqual(lines.map(({ allowed }) => allowed), Array(7).fill(false));
  assert.deepEqual(lines.map(({ user, call, code }) => [user, call, code]), [
    ["eve", "Stop", "PERMISSION_DENIED"],
    ["ann", "Status", "JOB_NOT_FOUND"],
    ["ann", "Status", "JOB_NOT_FOUND"],
    ["ann", "Stop", "PERMISSION_DENIED"],
    ["ann", "GetOutput", "JOB_NOT_FOUND"],
    [undefined, "List", "UNAUTHENTICATED"],
    ["", "/grpc.health.v1.Health/Check", "UNAUTHENTICATED"],
  ]);
  assert.deepEqual(lines.slice(0, 3).map(({ rule }) => rule?.slice(0, 31)), [
    'user "eve" with roles "viewer" ',
    "another user's job",
    "no such job",
  ]);
});

Deno.test(
  "Register records the command line and the names of variables, and no values or outputs",
  async () => {
    await using service = recorded();
    const calls = service.as("ann", "operator");
    const secret = crypto.randomUUID();
    const { id } = await calls.Register({ command: "sh", args: ["-c", "echo $TOKEN"], env: { TOKEN: secret } });
    await all(calls.Start({ id }));
    await all(calls.GetOutput({ id }));
    const [register] = service.entries;
    assert.deepEqual([register?.command, register?.args, register?.env], ["sh", ["-c", "echo $TOKEN"], ["TOKEN"]]);
    assert.equal(JSON.stringify(service.entries).includes(secret), false);
    const { fingerprint, serial, peer, roles } = register!;
    assert.deepEqual([fingerprint, serial, peer, roles], ["00".repeat(32), "01", "127.0.0.1:1", ["operator"]]);
  },
);

Deno.test("argsForEntry() cuts a command line of a megabyte, and says so", async () => {
  await using service = recorded();
  await service.as("ann", "operator").Register({ command: "true", args: Array(100).fill("x".repeat(10_000)) });
  const line = JSON.stringify(service.entries[0]);
  assert.ok(line.length < 20_000);
  assert.match(line, /… 99 more arguments/);
});

Deno.test("audited() bounds every text of a caller in an entry", async () => {
  await using service = recorded();
  const calls = service.as("ann", "operator");
  const long = "x".repeat(1_000_000);
  const many = (value: string) =>
    Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`K${index}`, value]));
  for (
    const call of [
      () => calls.Register({ command: "true", env: many("") }),
      () => calls.Register({ command: "true", args: Array(100_000).fill("") }),
      () => calls.Register({ command: long }),
      () => calls.Register({ command: "true", cwd: long }),
      () => calls.Register({ template: long }),
      () => calls.Register({ template: "t", parameters: many("x") }),
      () => calls.Register({ template: "t", parameters: { [long]: long } }),
      () => calls.Status({ id: long }),
      () => calls.Signal({ id: long, signal: long }),
      () => calls.CanI({ call: long }),
      () => calls.WatchJobs({ ids: Array(5_000).fill(long.slice(0, 500)) })[Symbol.asyncIterator]().next(),
    ]
  ) {
    await codeOf(call);
    const [line, ...others] = service.entries.splice(0);
    assert.equal(others.length, 0);
    assert.ok(
      JSON.stringify(line).length < 70_000,
      `${JSON.stringify(line).length}: ${JSON.stringify(line).slice(0, 200)}`,
    );
  }
});

Deno.test("Register records the template, its parameters and the resulting command", async () => {
  const policy = parsePolicy(`{ "roles": { "r": [{ "calls": ["all"], "jobs": "own", "templates": ["greet"] }] },
    "templates": { "greet": { "command": "/bin/echo", "args": ["hello", "{who}"],
      "parameters": { "who": { "pattern": "[a-z]+" } } } } }`);
  await using service = recorded({ policy: () => policy });
  const calls = service.as("ann", "r");
  const { command, args } = await calls.Register({ template: "greet", parameters: { who: "world" } });
  assert.deepEqual([command, args], ["/bin/echo", ["hello", "world"]]);
  assert.equal(await codeOf(() => calls.Register({ template: "greet", parameters: { who: "W" } })), "INVALID_ARGUMENT");
  assert.equal(await codeOf(() => calls.Register({ command: "/bin/echo" })), "PERMISSION_DENIED");
  const [made, bad, denied] = service.entries;
  assert.deepEqual([made?.template, made?.parameters, made?.command, made?.args, made?.rule], [
    "greet",
    { who: "world" },
    "/bin/echo",
    ["hello", "world"],
    "r/1",
  ]);
  assert.deepEqual([bad?.allowed, bad?.code], [true, "INVALID_ARGUMENT"]);
  assert.deepEqual([denied?.allowed, denied?.code], [false, "PERMISSION_DENIED"]);
});

Deno.test(
  "audited() allows only reading, Stop and Remove while entries cannot be written",
  async () => {
    await using service = recorded();
    const calls = service.as("ann", "operator");
    const { id } = await calls.Register({ command: "sleep", args: ["1000"] });
    assert.equal((await first(calls.Start({ id }))).state, "STATE_STARTING");
    service.breakDisk();
    const refused = [
      () => calls.Register({ command: "true" }),
      () => first(calls.Start({ id })),
      () => calls.Signal({ id, signal: "KILL" }),
    ];
    for (const call of refused) assert.equal(await codeOf(call), "NOT_RECORDED");
    assert.notEqual((await calls.Status({ id })).state, "STATE_KILLED");
    assert.equal((await calls.List({})).jobs.length, 1);
    assert.equal((await jobCounts(service.supervisor)).running, 1);
    assert.equal((await calls.Stop({ id })).state, "STATE_KILLED");
    await calls.Remove({ id });
  },
);
