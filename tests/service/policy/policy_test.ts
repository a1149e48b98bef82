/** The permissions of every call for every role, on an own job, another's job and a missing one. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import type { CallName } from "../../../proto/service.ts";
import { methods } from "../../../rpc/shared/definition.ts";
import { UnauthenticatedError } from "../../../service/errors.ts";
import { CALL_KINDS, rulesFor } from "../../../service/policy/policy.ts";
import { DEFAULT_POLICY } from "../../../service/policy/default.ts";
import {
  certificateOf,
  codeOf,
  contextOf,
  first,
  methodOf,
  startService,
  type TestService,
} from "../../support/service.ts";
import {
  callerOf,
  CALLERS,
  CALLS,
  type Cell,
  DENY,
  IDLE,
  MISSING,
  NONE,
  OK,
  ON_NO_JOB,
  PLAIN,
  REGISTER,
  ROLES,
  TABLE,
} from "../policy_table.ts";

async function outcome(service: TestService, call: keyof typeof CALLS, roles: string, id: string): Promise<string> {
  return await codeOf(() => CALLS[call](service.as(callerOf(roles)), id));
}

for (const call of Object.keys(TABLE) as (keyof typeof CALLS)[]) {
  Deno.test(`${call} is allowed and denied as the table says, for every role and job`, async () => {
    await using service = startService();
    for (const [roles, column] of CALLERS) {
      const own = await service.supervisor.add("true", [], { owner: "ann" });
      const others = await service.supervisor.add("true", [], { owner: "bob" });
      const got: Cell = [
        await outcome(service, call, roles, own),
        await outcome(service, call, roles, others),
        await outcome(service, call, roles, MISSING),
      ];
      assert.deepEqual(got, TABLE[call][column], `${call} as "${roles}"`);
    }
  });
}

Deno.test("TABLE has a row for every call, and a column for every default role", () => {
  assert.deepEqual([...Object.keys(ON_NO_JOB), ...Object.keys(TABLE)].sort(), Object.keys(methods).sort());
  assert.deepEqual(Object.keys(CALL_KINDS).sort(), Object.keys(methods).sort());
  const roles = new Set(Object.values(ROLES).flat().flatMap((roles) => roles.split(" ")));
  for (const role of DEFAULT_POLICY.roles.keys()) assert.ok(roles.has(role), role);
});

for (const call of Object.keys(TABLE) as (keyof typeof CALLS)[]) {
  Deno.test(`CanI answers for ${call} what the table says`, async () => {
    await using service = startService();
    const own = await service.supervisor.add("true", [], { owner: "ann" });
    const others = await service.supervisor.add("true", [], { owner: "bob" });
    for (const [roles, column] of CALLERS) {
      const answers = async (id: string) => {
        const { allowed, code, rule } = await service.as(callerOf(roles)).CanI({ call, id });
        assert.equal(allowed, code === OK);
        assert.ok(rule);
        return code;
      };
      const ask = async () => [await answers(own), await answers(others), await answers(MISSING)];
      // The permissions do not depend on the state or the input of a job.
      const wanted = TABLE[call][column].map((code) => [IDLE, NONE, PLAIN].includes(code) ? OK : code);
      if (column === "none") assert.equal(await codeOf(ask), DENY, roles);
      else assert.deepEqual(await ask(), wanted, `${call} as "${roles}"`);
    }
    assert.equal((await service.supervisor.status(own)).state, "INITIAL");
  });
}

Deno.test("WhoAmI and CanI answer every caller with a role, and no others", async () => {
  await using service = startService();
  for (const [roles, column] of CALLERS) {
    const calls = service.as(callerOf(roles));
    const wanted = column === "none" ? DENY : OK;
    assert.equal(await codeOf(() => calls.WhoAmI({})), wanted, roles);
    for (const call of Object.keys(ON_NO_JOB)) {
      assert.equal(await codeOf(() => calls.CanI({ call })), wanted, `${call} as "${roles}"`);
    }
    if (column === "none") continue;
    assert.equal((await calls.CanI({ call: "Register" })).code, REGISTER[column], roles);
    assert.equal((await calls.CanI({ call: "Register", job: { command: "true" } })).code, REGISTER[column], roles);
    for (const call of ["List", "WhoAmI", "CanI"]) assert.equal((await calls.CanI({ call })).code, OK, roles);
  }
});

Deno.test("a denied call changes nothing", async () => {
  await using service = startService();
  const { supervisor } = service;
  const initial = await supervisor.add("true", [], { owner: "bob" });
  const running = await supervisor.add("sleep", ["1000"], { owner: "bob" });
  await supervisor.start(running);
  for (const roles of ["operator", "viewer", "operator viewer", ""]) {
    for (const call of ["Start", "Stop", "Signal", "Remove"] as const) {
      for (const id of [initial, running]) assert.notEqual(await outcome(service, call, roles, id), OK);
    }
  }
  assert.equal((await supervisor.status(initial)).state, "INITIAL");
  assert.equal((await supervisor.status(running)).state, "RUNNING");
});

Deno.test("denied() names the user, the roles and the call, and says what to do", () => {
  const service = startService().service;
  const refusal = (...roles: string[]): string => {
    try {
      service.admit(contextOf(methodOf("Start"), certificateOf("ann", ...roles)));
    } catch (error) {
      return (error as Error).message;
    }
    return "none";
  };
  const advice = 'may not call "Start" here: ask for a certificate with a role that may';
  assert.equal(refusal("viewer", 'a"b'), `User "ann" with roles "viewer", "a\\"b" ${advice}`);
  assert.equal(refusal(), `User "ann" with roles none ${advice}`);
});

Deno.test("admit() allows health to every user, and reflection to users with a role", async () => {
  const { service } = startService();
  for (const [roles, column] of CALLERS) {
    const admitted = (method: string) =>
      codeOf(() => Promise.try(() => service.admit(contextOf(method, callerOf(roles)))));
    for (const method of ["Check", "List", "Watch"]) {
      assert.equal(await admitted(`/grpc.health.v1.Health/${method}`), OK, roles);
    }
    for (const version of ["v1", "v1alpha"]) {
      const method = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
      assert.equal(await admitted(method), column === "none" ? DENY : OK, `${method} as "${roles}"`);
    }
  }
});

Deno.test("admit() denies unknown methods, also to an admin", () => {
  const { service } = startService();
  const methods = [
    "",
    "/",
    "Register",
    "/teleport.v1.JobWorker/",
    "/teleport.v1.JobWorker/register",
    "/teleport.v1.JobWorker/Register/",
    "/teleport.v1.JobWorker/constructor",
    "/teleport.v1.JobWorker/__proto__",
    "/teleport.v1.JobWorker/toString",
    "/teleport.v2.JobWorker/Register",
    "/grpc.health.v1.HealthX/Check",
    "/grpc.reflection.v2.ServerReflection/ServerReflectionInfo",
    "/grpc.channelz.v1.Channelz/GetServers",
  ];
  for (const method of methods) {
    assert.throws(() => service.admit(contextOf(method, callerOf("admin"))), { code: DENY }, method);
  }
});

Deno.test('rulesFor() finds no rule for a role like "constructor"', () => {
  for (const role of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assert.deepEqual(rulesFor(DEFAULT_POLICY, { user: "ann", roles: [role] }, "Status"), [], role);
  }
});

Deno.test("admit() denies even health without a certificate that names a user", () => {
  const { service } = startService();
  for (const method of [methodOf("List"), "/grpc.health.v1.Health/Check"]) {
    assert.throws(() => service.admit(contextOf(method, undefined)), UnauthenticatedError);
    assert.throws(
      () => service.admit(contextOf(method, { ...certificateOf("ann", "admin"), isAuthority: true })),
      UnauthenticatedError,
    );
  }
});

Deno.test("handlers check the caller's roles also without admit()", async () => {
  await using service = startService();
  const id = await service.supervisor.add("true", [], { owner: "ann" });
  const { handlers } = service.service;
  const viewer = (call: CallName) => contextOf(methodOf(call), callerOf("viewer"));
  assert.equal(await codeOf(() => handlers.Stop({ id }, viewer("Stop"))), DENY);
  assert.equal(await codeOf(() => handlers.Remove({ id }, viewer("Remove"))), DENY);
  assert.equal(await codeOf(() => first(handlers.Start({ id }, viewer("Start")))), DENY);
  assert.equal(await codeOf(() => handlers.Stop({ id }, contextOf(methodOf("Stop"), undefined))), "UNAUTHENTICATED");
});
