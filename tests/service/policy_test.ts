/** Who may do what: every call by every role on one's own, another's and a missing job, cell by cell. */
import assert from "node:assert/strict";
import type { CallName, JobWorkerClient } from "../../proto/service.ts";
import { UnauthenticatedError } from "../../service/errors.ts";
import { rulesFor } from "../../service/policy.ts";
import { DEFAULT_POLICY } from "../../service/policy_default.ts";
import {
  certificateOf,
  codeOf,
  contextOf,
  first,
  methodOf,
  startService,
  strict,
  type TestService,
} from "./fixture.ts";

const MISSING = "01890000-0000-7000-8000-000000000000";

/** One call on a job that was never started; what it does then shows whether the policy let it through. */
const CALLS: Record<
  Exclude<CallName, "Register" | "List" | "WhoAmI" | "CanI">,
  (calls: JobWorkerClient, id: string) => Promise<unknown>
> = {
  Start: (calls, id) => first(calls.Start({ id })),
  StatusStream: (calls, id) => first(calls.StatusStream({ id })),
  Status: (calls, id) => calls.Status({ id }),
  Stop: (calls, id) => calls.Stop({ id }),
  GetOutput: (calls, id) => first(calls.GetOutput({ id, follow: false })),
  // Let through, the signal finds a job that does not run.
  Signal: (calls, id) => calls.Signal({ id, signal: "TERM" }),
  Remove: (calls, id) => calls.Remove({ id }),
  WatchJobs: (calls, id) => first(calls.WatchJobs({ ids: [id] })),
};

const OK = "OK";
const GONE = "JOB_NOT_FOUND";
const DENY = "PERMISSION_DENIED";
const IDLE = "JOB_NOT_RUNNING";

/** On one's own job, on another's, on a missing one. */
type Cell = readonly [own: string, others: string, missing: string];
const READ_ALL: Cell = [OK, OK, GONE];
const OWN_ALONE: Cell = [OK, GONE, GONE];
const NEVER: Cell = [DENY, DENY, DENY];
/** One who reads everything and changes the own knows of the job, so there is nothing to hide. */
const READ_ALL_CHANGE_OWN: Cell = [OK, DENY, GONE];

/** The columns of the table, and the roles that each stands for. */
const ROLES = {
  admin: ["admin", "admin viewer"],
  operator: ["operator", "operator unknown"],
  viewer: ["viewer"],
  both: ["operator viewer", "viewer operator"],
  none: ["", "unknown", "Admin"],
} as const;
type Column = keyof typeof ROLES;

// deno-fmt-ignore
const TABLE: Record<keyof typeof CALLS, Record<Column, Cell>> = {
  Start:        { admin: READ_ALL, operator: OWN_ALONE, viewer: NEVER, both: READ_ALL_CHANGE_OWN, none: NEVER },
  StatusStream: { admin: READ_ALL, operator: OWN_ALONE, viewer: READ_ALL, both: READ_ALL, none: NEVER },
  Status:       { admin: READ_ALL, operator: OWN_ALONE, viewer: READ_ALL, both: READ_ALL, none: NEVER },
  Stop:         { admin: READ_ALL, operator: OWN_ALONE, viewer: NEVER, both: READ_ALL_CHANGE_OWN, none: NEVER },
  GetOutput:    { admin: READ_ALL, operator: OWN_ALONE, viewer: READ_ALL, both: READ_ALL, none: NEVER },
  Signal:       { admin: [IDLE, IDLE, GONE], operator: [IDLE, GONE, GONE], viewer: NEVER, both: [IDLE, DENY, GONE], none: NEVER },
  Remove:       { admin: READ_ALL, operator: OWN_ALONE, viewer: NEVER, both: READ_ALL_CHANGE_OWN, none: NEVER },
  WatchJobs:    { admin: READ_ALL, operator: OWN_ALONE, viewer: READ_ALL, both: READ_ALL, none: NEVER },
};

/** Each role or pair of roles with its column. */
const CALLERS = (Object.keys(ROLES) as Column[]).flatMap((column) =>
  ROLES[column].map((roles) => [roles, column] as const)
);

/** A caller by the name of their roles. */
function callerOf(roles: string): ReturnType<typeof certificateOf> {
  return certificateOf("ann", ...roles.split(" ").filter((role) => role !== ""));
}

async function outcome(service: TestService, call: keyof typeof CALLS, roles: string, id: string): Promise<string> {
  return await codeOf(() => CALLS[call](service.as(callerOf(roles)), id));
}

for (const call of Object.keys(TABLE) as (keyof typeof CALLS)[]) {
  Deno.test(`${call} is let through and refused as the table says, for every role and job`, strict, async () => {
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

const REGISTER: Record<Column, string> = { admin: OK, operator: OK, viewer: DENY, both: OK, none: DENY };

Deno.test("Register is for those who may change jobs, and makes the job theirs", strict, async () => {
  await using service = startService();
  for (const [roles, column] of CALLERS) {
    const before = (await service.supervisor.counts()).jobs;
    const calls = service.as(callerOf(roles));
    assert.equal(await codeOf(() => calls.Register({ command: "true" })), REGISTER[column], roles);
    const { jobs } = await service.supervisor.list({ owner: "ann" });
    assert.equal((await service.supervisor.counts()).jobs, jobs.length);
    assert.equal(jobs.length - before, REGISTER[column] === OK ? 1 : 0, roles);
  }
});

Deno.test("List shows each caller the jobs they may know of, whatever owner they ask for", strict, async () => {
  await using service = startService();
  const own = await service.supervisor.add("true", [], { owner: "ann" });
  const others = await service.supervisor.add("true", [], { owner: "bob" });
  const listed = async (roles: string, owner: string) =>
    (await service.as(callerOf(roles)).List({ owner })).jobs.map(({ id }) => id);
  for (const roles of ["admin", "viewer", "operator viewer"]) {
    assert.deepEqual(await listed(roles, ""), [others, own], roles);
    assert.deepEqual(await listed(roles, "ann"), [own], roles);
    assert.deepEqual(await listed(roles, "bob"), [others], roles);
  }
  assert.deepEqual(await listed("operator", ""), [own]);
  assert.deepEqual(await listed("operator", "ann"), [own]);
  assert.deepEqual(await listed("operator", "bob"), []);
  for (const roles of ["unknown", "Admin", ""]) assert.equal(await codeOf(() => listed(roles, "")), DENY, roles);
});

Deno.test("another's job is told from a missing one by nothing but its id, whatever its state", strict, async () => {
  await using service = startService();
  const { supervisor } = service;
  const initial = await supervisor.add("true", [], { owner: "bob" });
  const running = await supervisor.add("sleep", ["1000"], { owner: "bob" });
  await supervisor.start(running);
  const failed = await supervisor.add("/nowhere", [], { owner: "bob" });
  await supervisor.start(failed);
  for await (const _ of supervisor.watchStatus(failed));
  const calls = service.as(callerOf("operator"));
  for (const call of Object.values(CALLS)) {
    const shape = async (id: string) => {
      const error = await call(calls, id).then(() => undefined, (error) => error);
      return { code: error.code, name: error.name, message: error.message.replaceAll(id, "ID") };
    };
    const missing = await shape(MISSING);
    assert.match(missing.message, /^Unknown job "ID": /);
    for (const id of [initial, running, failed]) assert.deepEqual(await shape(id), missing);
  }
});

Deno.test("a refused call changes nothing", strict, async () => {
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

Deno.test("the refusal names the user, the roles and the call, and says what to do", strict, () => {
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

Deno.test("admit() lets every user ask for health, and those with a role for reflection", strict, async () => {
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

Deno.test("admit() denies what is in no table, also to an admin, also by names that every object has", strict, () => {
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

Deno.test("a role by the name of what every object has is no role", strict, () => {
  for (const role of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assert.deepEqual(rulesFor(DEFAULT_POLICY, { user: "ann", roles: [role] }, "Status"), [], role);
  }
});

Deno.test("without a certificate, or with one that names nobody, not even health is allowed", strict, () => {
  const { service } = startService();
  for (const method of [methodOf("List"), "/grpc.health.v1.Health/Check"]) {
    assert.throws(() => service.admit(contextOf(method, undefined)), UnauthenticatedError);
    assert.throws(
      () => service.admit(contextOf(method, { ...certificateOf("ann", "admin"), isAuthority: true })),
      UnauthenticatedError,
    );
  }
});

Deno.test("a handler reached without admission still refuses by the caller's roles", strict, async () => {
  await using service = startService();
  const id = await service.supervisor.add("true", [], { owner: "ann" });
  const { handlers } = service.service;
  const viewer = (call: CallName) => contextOf(methodOf(call), callerOf("viewer"));
  assert.equal(await codeOf(() => handlers.Stop({ id }, viewer("Stop"))), DENY);
  assert.equal(await codeOf(() => handlers.Remove({ id }, viewer("Remove"))), DENY);
  assert.equal(await codeOf(() => first(handlers.Start({ id }, viewer("Start")))), DENY);
  assert.equal(await codeOf(() => handlers.Stop({ id }, contextOf(methodOf("Stop"), undefined))), "UNAUTHENTICATED");
});
