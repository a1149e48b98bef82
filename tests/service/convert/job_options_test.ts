/** Limits, user and isolation of a request: conversion, status, policy and audit entry. */
import assert from "node:assert/strict";
import { InvalidArgumentError } from "../../../mod.ts";
import type { Isolation, JobRequest } from "../../../proto/teleport/v1/job_worker.ts";
import { methods } from "../../../rpc/shared/definition.ts";
import type { AuditEntry } from "../../../service/audit/audit.ts";
import { createService } from "../../../service/handlers/service.ts";
import { jobOptionsOf, statusFields } from "../../../service/convert/job_options.ts";
import { certificateOf, clientOf, codeOf, startService } from "../../support/service.ts";

/** A request as a handler gets it. */
function asked(fields: Parameters<typeof methods.Register.requestSerialize>[0]): JobRequest {
  return methods.Register.requestDeserialize(methods.Register.requestSerialize(fields));
}

Deno.test("jobOptionsOf() leaves out options that the request does not have", () => {
  assert.deepEqual(jobOptionsOf(asked({ command: "true" }), "ann"), {
    env: {},
    labels: {},
    owner: "ann",
    timeoutMs: 0,
  });
});

Deno.test("jobOptionsOf() converts every option, also zeros that are values", () => {
  const request = asked({
    command: "true",
    user: "nobody",
    group: "daemon",
    umask: 0,
    nice: 19,
    rlimits: { core_bytes: 0, open_files: 64 },
    allow_new_privileges: true,
    inherit_env: true,
    isolation: "ISOLATION_STRICT",
  });
  const { user, group, umask, nice, rlimits, allowNewPrivileges, inheritEnv, isolation } = jobOptionsOf(request, "ann");
  assert.deepEqual({ user, group, umask, nice, rlimits, allowNewPrivileges, inheritEnv, isolation }, {
    user: "nobody",
    group: "daemon",
    umask: 0,
    nice: 19,
    rlimits: { coreBytes: 0, openFiles: 64 },
    allowNewPrivileges: true,
    inheritEnv: true,
    isolation: "STRICT",
  });
});

Deno.test("jobOptionsOf() refuses an isolation of a later definition", () => {
  const later = { ...asked({ command: "true" }), isolation: 9 as unknown as Isolation };
  assert.throws(() => jobOptionsOf(later, "ann"), InvalidArgumentError);
});

Deno.test("jobOptionsOf() returns the options that statusFields() was given", () => {
  const rlimits = {
    addressSpaceBytes: 1,
    cpuSeconds: 2,
    openFiles: 3,
    coreBytes: 0,
    fileBytes: 5,
    processes: 6,
  };
  const cgroupLimits = { maxMemoryBytes: 2 ** 20, maxCpus: 1.5, maxWriteBytesPerS: 7, ioPath: "/data" };
  const options = { timeoutMs: 5, user: "nobody", isolation: "PRIVATE", rlimits, cgroupLimits } as const;
  const fields = statusFields(options);
  const { env: _env, labels: _labels, owner: _owner, ...back } = jobOptionsOf(
    asked({ command: "true", ...fields }),
    "",
  );
  assert.deepEqual(back, options);
  assert.deepEqual(statusFields({ rlimits: {} }), { rlimits: {} });
});

Deno.test("Status has the user, the limits and the isolation of a job", async () => {
  await using service = startService();
  const calls = service.as(certificateOf("ann", "admin"));
  const { id } = await calls.Register({ command: "true", rlimits: { core_bytes: 0 } });
  const { user, group, rlimits, isolation } = await calls.Status({ id });
  assert.deepEqual({ user, group, core: rlimits?.core_bytes, isolation }, {
    user: "",
    group: "",
    core: 0,
    isolation: "ISOLATION_UNSPECIFIED",
  });
  const plain = await calls.Register({ command: "true" });
  assert.equal(plain.rlimits, null);
});

Deno.test("Register lets operators limit and isolate jobs, but not choose a user or gain privileges", async () => {
  await using service = startService();
  const calls = service.as(certificateOf("ann", "operator"));
  await calls.Register({ command: "true", umask: 0o77, nice: 5, rlimits: { core_bytes: 0 } });
  for (
    const more of [{ user: "nobody" }, { group: "daemon" }, { allow_new_privileges: true }, { inherit_env: true }]
  ) {
    assert.equal(await codeOf(() => calls.Register({ command: "true", ...more })), "PERMISSION_DENIED");
  }
});

Deno.test("Register records the user of a job, also when it is denied", async () => {
  await using service = startService();
  const entries: AuditEntry[] = [];
  const audit = { record: (entry: AuditEntry) => void entries.push(entry), ready: () => Promise.resolve() };
  const { supervisor } = service;
  const calls = clientOf(createService(supervisor, { audit }), certificateOf("ann", "operator"));
  await codeOf(() => calls.Register({ command: "true", user: "root", group: "x".repeat(1_000) }));
  const [entry] = entries;
  assert.deepEqual([entry?.runAs, entry?.runAsGroup, entry?.allowed], ["root", "x".repeat(100), false]);
});
