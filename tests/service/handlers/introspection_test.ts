/** The calls WhoAmI and CanI, and the users in a status. */
import assert from "node:assert/strict";
import { codeOf, first } from "../../support/service.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { recorded } from "../recorded_service.ts";

Deno.test("Status says who registered, started, signalled and stopped a job", async () => {
  await using service = recorded();
  const { id } = await service.as("ann", "operator").Register({ command: "sleep", args: ["1000"] });
  await first(service.as("bob", "admin").Start({ id }));
  for await (const { state } of service.as("eve", "viewer").StatusStream({ id })) if (state === "STATE_RUNNING") break;
  for (let count = 0; count < 20; count++) {
    await service.as("cyd", "admin").Signal({ id, signal: count < 19 ? "CONT" : "18" });
  }
  const final = await service.as("dan", "admin").Stop({ id });
  assert.deepEqual([final.owner, final.started_by, final.stop_asked_by, final.stopped_by], [
    "ann",
    "bob",
    "dan",
    "dan",
  ]);
  assert.equal(final.signals.length, 16);
  assert.deepEqual([final.signals[0]!.by, final.signals.at(-1)!.signal], ["cyd", "SIGCONT"]);
  assert.deepEqual((await service.as("eve", "viewer").Status({ id })).signals, final.signals);
});

Deno.test("WhoAmI names the user, the roles that are known, and the rules they give", async () => {
  await using service = recorded();
  const me = await service.as("ann", "operator", "unheard-of").WhoAmI({});
  assert.deepEqual([me.user, me.roles, me.known_roles, me.rules], [
    "ann",
    ["operator", "unheard-of"],
    ["operator"],
    ["operator/1: all calls on own jobs"],
  ]);
  assert.equal(me.fingerprint, "00".repeat(32));
  assert.ok(me.not_after!.seconds * 1_000 > Date.now());
  for (const roles of [[], ["unheard-of"]]) {
    assert.equal(await codeOf(() => service.as("ann", ...roles).WhoAmI({})), "PERMISSION_DENIED");
  }
});

Deno.test("CanI reports a hidden job as missing, and changes nothing", async () => {
  await using service = recorded();
  const id = await service.supervisor.add("true", [], { owner: "bob" });
  const own = await service.supervisor.add("true", [], { owner: "ann" });
  const missing = "01890000-0000-7000-8000-000000000000";
  const ann = service.as("ann", "operator");
  const hidden = await ann.CanI({ call: "stop", id });
  const absent = await ann.CanI({ call: "stop", id: missing });
  assert.deepEqual(hidden.rule.replace(id, "ID"), absent.rule.replace(missing, "ID"));
  assert.match((await ann.CanI({ call: "register" })).rule, /^operator\/1: all calls on own jobs$/);
  assert.equal(await codeOf(() => ann.CanI({ call: "fly" })), "INVALID_ARGUMENT");
  assert.equal((await jobCounts(service.supervisor)).jobs, 2);
  assert.equal((await service.supervisor.status(own)).state, "INITIAL");
});
