/** The flags of the table of job options, and the fields of a request that they give. */
import assert from "node:assert/strict";
import { Command } from "commander";
import { addTableOptions, tableFields } from "../../../cli/options/table_options.ts";
import { UsageError } from "../../../units/usage_error.ts";

/** Parses flags as a command does. */
function fieldsOf(...args: string[]): unknown {
  const command = addTableOptions(new Command().exitOverride()).parse(args, { from: "user" });
  return tableFields(command.opts());
}

const flags: readonly (readonly [string[], object])[] = [
  [[], {}],
  [["-i"], { input: true }],
  [["--timeout", "90s", "--grace", "0s"], { timeout_ms: 90_000, grace_ms: 0 }],
  [["--timeout", "596h"], { timeout_ms: 2_145_600_000 }],
  [["-u", "nobody", "--group", "daemon"], { user: "nobody", group: "daemon" }],
  [["--umask", "0", "--nice", "0"], { umask: 0, nice: 0 }],
  [["--umask", "0077", "--nice", "19"], { umask: 0o77, nice: 19 }],
  [["--ulimit", "nofile=1", "--ulimit", "core=0", "--ulimit", "nofile=64"].slice(2), {
    rlimits: { core_bytes: 0, open_files: 64 },
  }],
  [["--isolate", "private"], { isolation: "ISOLATION_PRIVATE" }],
  [["--isolate", "strict"], { isolation: "ISOLATION_STRICT" }],
  [["--allow-new-privileges", "--inherit-env"], { allow_new_privileges: true, inherit_env: true }],
  [["--cpus", ".5"], { cgroup_limits: { cpus: 0.5 } }],
  [["--memory=1g", "--pids=20", "--read-rate=1MB", "--write-rate=2MB", "--io-path=/data"], {
    cgroup_limits: {
      memory_bytes: 1_073_741_824,
      processes: 20,
      read_bytes_per_s: 1_000_000,
      write_bytes_per_s: 2_000_000,
      io_path: "/data",
    },
  }],
];
for (const [args, fields] of flags) {
  Deno.test(`tableFields() returns the fields for "${args.join(" ")}"`, () =>
    assert.deepEqual(fieldsOf(...args), fields));
}

const refused: readonly (readonly [string[], RegExp])[] = [
  [["--timeout", "0s"], /^Duration "0s" for --timeout/],
  [["--timeout", "597h"], /"597h" for --timeout is out of bounds: give 1ms to 596h$/],
  [["--grace", "61m"], /"61m" for --grace is out of bounds: give 0s to 1h$/],
  [["--nice", "-1"], /^Invalid value "-1" for --nice: give an integer from 0 to 19$/],
  [["--isolate", "much"], /^Unknown isolation "much" for --isolate: give "private" or "strict"$/],
  [["--isolate", "PRIVATE"], /^Unknown isolation/],
  [["--ulimit", "files=3"], /^Invalid value "files=3" for --ulimit/],
  [["--io-path", "/data"], /^Cannot use --io-path alone: give --read-rate or --write-rate too$/],
  [["--io-path", "/data", "--memory", "1g"], /^Cannot use --io-path alone/],
];
for (const [args, message] of refused) {
  Deno.test(`tableFields() refuses "${args.join(" ")}"`, () => {
    assert.throws(() => fieldsOf(...args), (error) => error instanceof UsageError && message.test(error.message));
  });
}
