/** The permissions of calls on no job or on many jobs, for every role. */
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import { createService } from "../../../service/handlers/service.ts";
import { certificateOf, clientOf, codeOf, startService } from "../../support/service.ts";
import { callerOf, CALLERS, DENY, MISSING, OK, REGISTER } from "../policy_table.ts";
import { jobCounts } from "../../support/job_counts.ts";

Deno.test("Register is allowed to roles that may change jobs, and makes the caller the owner", async () => {
  await using service = startService();
  for (const [roles, column] of CALLERS) {
    const before = (await jobCounts(service.supervisor)).jobs;
    const calls = service.as(callerOf(roles));
    assert.equal(await codeOf(() => calls.Register({ command: "true" })), REGISTER[column], roles);
    const { jobs } = await service.supervisor.list({ owner: "ann" });
    assert.equal((await jobCounts(service.supervisor)).jobs, jobs.length);
    assert.equal(jobs.length - before, REGISTER[column] === OK ? 1 : 0, roles);
  }
});

Deno.test("Register with a request id never answers another user's job", async () => {
  await using service = startService();
  const asked = { command: "true", request_id: "deploy-1" };
  const bobs = await service.as(certificateOf("bob", "operator")).Register(asked);
  for (const [roles, column] of CALLERS) {
    const register = () => service.as(callerOf(roles)).Register(asked);
    if (REGISTER[column] === DENY) {
      assert.equal(await codeOf(register), DENY, roles);
      continue;
    }
    const { id, owner } = await register();
    assert.equal(owner, "ann");
    assert.notEqual(id, bobs.id);
    assert.equal((await register()).id, id, "The same again gives the same");
    const other = { ...asked, command: "false" };
    assert.equal(await codeOf(() => service.as(callerOf(roles)).Register(other)), "REQUEST_ID_REUSED", roles);
  }
  assert.equal((await jobCounts(service.supervisor)).jobs, 2);
});

Deno.test("WatchJobs without ids shows each caller the visible jobs", async () => {
  await using service = startService();
  const own = await service.supervisor.add("true", [], { owner: "ann" });
  const others = await service.supervisor.add("true", [], { owner: "bob" });
  const watched = async (roles: string, owner: string) => {
    const ids: string[] = [];
    for await (const { kind, job } of service.as(callerOf(roles)).WatchJobs({ owner })) {
      if (kind === "JOB_EVENT_KIND_CURRENT") break;
      ids.push(job!.id);
    }
    return ids;
  };
  for (const [roles, column] of CALLERS) {
    if (column === "none") {
      assert.equal(await codeOf(() => watched(roles, "")), DENY, roles);
      continue;
    }
    const all = column !== "operator";
    assert.deepEqual(await watched(roles, ""), all ? [own, others] : [own], roles);
    assert.deepEqual(await watched(roles, "ann"), [own], roles);
    assert.deepEqual(await watched(roles, "bob"), all ? [others] : [], roles);
  }
});

Deno.test("WatchJobs with a token hides the existence and the removal of hidden jobs", async () => {
  await using service = startService();
  const calls = service.as(callerOf("operator"));
  const bobs = await service.supervisor.add("true", [], { owner: "bob" });
  let token = "";
  for await (const event of calls.WatchJobs({})) {
    token = event.token;
    break;
  }
  await service.supervisor.remove(bobs);
  const own = await service.supervisor.add("true", [], { owner: "ann" });
  for (const ids of [[], [bobs, own, MISSING]]) {
    for await (const { job } of calls.WatchJobs({ token, ids })) {
      assert.equal(job?.id, own);
      break;
    }
  }
});

Deno.test("WatchJobs with a token does not prevent the removal of hidden jobs", async () => {
  await using supervisor = new Supervisor({ closeGraceMs: 100, maxJobs: 1 });
  const service = createService(supervisor);
  let token = "";
  for await (const event of clientOf(service, callerOf("operator")).WatchJobs({})) {
    token = event.token;
    break;
  }
  const bobs = await supervisor.add("true", [], { owner: "bob" });
  const waiting = (roles: string) => {
    const over = new AbortController();
    const calls = clientOf(service, callerOf(roles));
    const events = calls.WatchJobs({ token, ids: [bobs] }, { signal: over.signal })[Symbol.asyncIterator]();
    const told = events.next().then(({ value }) => value?.job?.id, () => "nothing");
    const end = async () => {
      over.abort();
      await events.return?.();
    };
    return { told, end };
  };
  const [ann, viewer] = [waiting("operator"), waiting("viewer")];
  await supervisor.start(bobs);
  for await (const _ of supervisor.watchStatus(bobs));
  // A caller who may see the job gets the event, and then waits no more.
  assert.equal(await viewer.told, bobs);
  await viewer.end();
  const own = await supervisor.add("true", [], { owner: "ann" });
  assert.equal(await codeOf(() => supervisor.status(bobs)), "JOB_NOT_FOUND");
  await ann.end();
  assert.equal(await ann.told, "nothing");
  assert.equal((await supervisor.status(own)).state, "INITIAL");
});

Deno.test("List shows each caller the visible jobs, for every requested owner", async () => {
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
