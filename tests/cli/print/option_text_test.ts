/** The options of a job in its status, in words and as JSON. */
import assert from "node:assert/strict";
import { optionRows, optionsJson } from "../../../cli/print/option_text.ts";
import type { Isolation } from "../../../proto/teleport/v1/job_worker.ts";
import { jobStatus } from "../../support/cli_messages.ts";

const rowsOf = (status: Parameters<typeof jobStatus>[0]) =>
  optionRows(jobStatus(status)).filter(([, text]) => text !== "");

Deno.test("optionRows() has no text for options that were not given", () => {
  assert.deepEqual(rowsOf({}), []);
  assert.deepEqual(rowsOf({ rlimits: {}, cgroup_limits: { io_path: "" } }), []);
});

Deno.test("optionRows() describes limits and isolation", () => {
  const rlimits = {
    address_space_bytes: 2_147_483_648,
    core_bytes: 0,
    cpu_seconds: 90,
    file_bytes: 512_000,
    open_files: 64,
    processes: 9,
  };
  const cgroup_limits = {
    memory_bytes: 104_857_600,
    cpus: 1.5,
    processes: 20,
    read_bytes_per_s: 1_000_000,
    write_bytes_per_s: 2_000_000,
    io_path: "/data",
  };
  assert.deepEqual(rowsOf({ rlimits, cgroup_limits, isolation: "ISOLATION_STRICT" }), [
    ["Ulimits", "as=2147483648 core=0 cpu=90 fsize=512000 nofile=64 nproc=9"],
    ["Isolation", "strict"],
    [
      "Limits",
      "104857600 bytes of memory, 1.5 cores, 20 processes, reading 1000000 bytes/s, writing 2000000 bytes/s, " +
      "on the disk of /data",
    ],
  ]);
});

Deno.test("optionRows() escapes what could steer a terminal", () => {
  assert.deepEqual(rowsOf({ cgroup_limits: { io_path: "/\u001b[31m" } }), [["Limits", "on the disk of /\\x1b[31m"]]);
});

Deno.test("optionRows() and optionsJson() show a choice of a later server as its number", () => {
  const isolation = 9 as unknown as Isolation;
  assert.deepEqual(rowsOf({ isolation }), [["Isolation", "9"]]);
  assert.equal(optionsJson(jobStatus({ isolation })).isolation, "9");
});

Deno.test("optionsJson() leaves out what stands for absence", () => {
  const { isolation, cgroup_limits, rlimits } = optionsJson(jobStatus());
  assert.deepEqual([isolation, cgroup_limits, rlimits], [undefined, undefined, undefined]);
  const json = optionsJson(jobStatus({ isolation: "ISOLATION_PRIVATE", cgroup_limits: { cpus: 1, io_path: "" } }));
  assert.deepEqual([json.isolation, json.cgroup_limits], ["PRIVATE", { cpus: 1 }]);
});
