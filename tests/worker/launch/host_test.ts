/** Tests of the options that a host cannot enforce, for several hosts. */
import assert from "node:assert/strict";
import type { CommandOptions } from "../../../worker/launch/command.ts";
import { NotEnforceableError } from "../../../worker/errors.ts";
import { baseNice, checkEnforceable, type Host, readHost } from "../../../worker/launch/host.ts";

const ALL = (1n << 41n) - 1n;
const without = (capability: bigint) => ALL & ~(1n << capability);

const ROOT: Host = {
  uid: 0,
  capabilities: ALL,
  oomScoreAdj: 0,
  noNewPrivileges: false,
  hardLimits: new Map([["openFiles", 1_000], ["cpuSeconds", 60]]),
  minNice: 19,
  nice: 0,
  maxOpenFiles: 1_000_000,
  has: () => true,
};
const USER: Host = { ...ROOT, uid: 1000, capabilities: 0n };
const BARE: Host = { ...ROOT, has: () => false };

const refusals: readonly (readonly [string, CommandOptions, Host, RegExp])[] = [
  ["a user, where the server is none that can", { user: "nobody" }, USER, /another user here: .*not run as root/],
  ["a group, the same way", { group: "daemon" }, USER, /another group here: .*not run as root/],
  ["a user, for root without CAP_SETUID", { user: "nobody" }, { ...ROOT, capabilities: without(7n) }, /capabilities/],
  ["a user, for root without CAP_SETGID", { user: "nobody" }, { ...ROOT, capabilities: without(6n) }, /capabilities/],
  ["a user, without setpriv", { user: "nobody" }, BARE, /no program "setpriv"/],
  ["no new privileges, without setpriv", { noNewPrivileges: true }, BARE, /no program "setpriv"/],
  ["a niceness below one's own, for a user", { nice: -1 }, USER, /niceness -1/],
  ["a niceness below what RLIMIT_NICE gives", { nice: -6 }, { ...USER, minNice: -5 }, /niceness -6/],
  ["any niceness, without nice", { nice: 1 }, BARE, /no program "nice"/],
  ["more descriptors than the hard limit", { rlimits: { openFiles: 1_001 } }, USER, /open files to 1001 .* is 1000,/],
  ["more processor time than the hard limit", { rlimits: { cpuSeconds: 61 } }, USER, /processor time to 61/],
  ["more descriptors than anybody has", { rlimits: { openFiles: 1_000_001 } }, ROOT, /1000001 .* is 1000000/],
  ["STRICT as root", { isolation: "STRICT" }, ROOT, /"STRICT" here: it would run as root, /],
  ["STRICT as root, by name", { isolation: "STRICT", user: "root" }, ROOT, /it would run as root, /],
  ["STRICT as root, with a group", { isolation: "STRICT", group: "daemon" }, ROOT, /it would run as root, /],
  [
    "isolation of another user's job, for root without CAP_SYS_ADMIN",
    { isolation: "PRIVATE", user: "nobody" },
    { ...ROOT, capabilities: without(21n) },
    /CAP_SYS_ADMIN$/,
  ],
  ["a limit on root's processes", { rlimits: { processes: 9 } }, ROOT, /as root/],
  ["a limit on root's processes, by name", { user: "root", rlimits: { processes: 9 } }, ROOT, /as root/],
];

for (const [what, options, host, sentence] of refusals) {
  Deno.test(`checkEnforceable() refuses ${what}`, () => {
    assert.throws(() => checkEnforceable(options, () => host), (error) => {
      assert.ok(error instanceof NotEnforceableError && error.code === "NOT_ENFORCEABLE");
      assert.match(error.message, sentence);
      assert.match(error.message, /^Cannot .*[^.]$/);
      return true;
    });
  });
}

const allowed: readonly (readonly [string, CommandOptions, Host])[] = [
  ["a user, for root", { user: "nobody", group: "daemon" }, ROOT],
  ["a niceness below one's own, for root", { nice: -20 }, ROOT],
  ["a niceness within RLIMIT_NICE", { nice: -5 }, { ...USER, minNice: -5 }],
  ["a niceness above one's own", { nice: 19 }, USER],
  ["limits within the hard ones", { rlimits: { openFiles: 1_000, cpuSeconds: 60, coreBytes: 2 ** 40 } }, USER],
  ["limits beyond the hard ones, for root", { rlimits: { openFiles: 1_000_000, cpuSeconds: 6_000 } }, ROOT],
  ["no new privileges, where the server has none to gain", { noNewPrivileges: true }, {
    ...BARE,
    noNewPrivileges: true,
  }],
  ["STRICT as another user than root", { isolation: "STRICT", user: "no-such-user" }, ROOT],
  ["STRICT, where the server is not root", { isolation: "STRICT" }, USER],
  ["PRIVATE as root", { isolation: "PRIVATE" }, ROOT],
  ["a limit on a user's processes", { rlimits: { processes: 9 } }, USER],
  ["a limit on the processes of another than root", { user: "no-such-user", rlimits: { processes: 9 } }, ROOT],
];

for (const [what, options, host] of allowed) {
  Deno.test(`checkEnforceable() allows ${what}`, () => checkEnforceable(options, () => host));
}

Deno.test("baseNice() returns the server's niceness if it is above 0 and cannot be lowered, otherwise 0", () => {
  const cases: readonly (readonly [Partial<Host>, number])[] = [
    [{ ...ROOT, nice: 5 }, 0],
    [{ ...ROOT, nice: -5 }, 0],
    [{ ...USER, nice: 5 }, 5],
    [{ ...USER, nice: 5, minNice: 0 }, 0],
    [{ ...USER, nice: -5 }, 0],
  ];
  for (const [host, nice] of cases) assert.equal(baseNice({ ...ROOT, ...host }), nice);
});

Deno.test("checkEnforceable() does not read the host for a command without options", () => {
  const never = () => {
    throw new Error("looked");
  };
  checkEnforceable({ timeoutMs: 5, umask: 0o22, cwd: "/", env: {}, rlimits: {}, noNewPrivileges: false }, never);
});

Deno.test("readHost() agrees with the tools of the system", async () => {
  const host = readHost();
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "id -u; ulimit -H -n; nice; ulimit -H -v"] }).output();
  const [uid, openFiles, nice, addressSpace] = new TextDecoder().decode(stdout).trim().split("\n");
  assert.equal(`${host.uid}`, uid);
  assert.equal(`${host.hardLimits.get("openFiles")}`, openFiles);
  assert.equal(`${host.nice}`, nice);
  assert.equal(host.hardLimits.has("addressSpaceBytes"), addressSpace !== "unlimited");
  assert.equal(host.has("sh"), true);
  assert.equal(host.has("no-such-program"), false);
  assert.ok(host.maxOpenFiles >= Number(openFiles) && host.minNice <= 19 && host.minNice >= -20);
  if (host.uid === 0) assert.ok(host.capabilities > 0n);
});
