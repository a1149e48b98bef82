/** Policy files: the decisions that they lead to, and the refusal of misspelt names. */
import assert from "node:assert/strict";
import { decideJob, decideMethod, decideRegister, listScope, sees } from "../../../service/policy/policy.ts";
import { PolicyError } from "../../../service/errors.ts";
import { parsePolicy } from "../../../service/policy/file.ts";
import { expandTemplate } from "../../../service/policy/template.ts";
import type { JobRequest } from "../../../proto/teleport/v1/job_worker.ts";
import { allows, as, POLICY, request } from "./policy_fixture.ts";

const commands: [string, object, boolean][] = [
  ["an exact command", { command: "/bin/true" }, true],
  ["arguments where none are named", { command: "/bin/true", args: ["x"] }, false],
  ["another spelling of a command", { command: "/bin/../bin/true" }, false],
  ["a bare name", { command: "true" }, false],
  ["another command", { command: "/bin/sh", args: ["-c", "true"] }, false],
  ["arguments that match", { command: "/usr/bin/make", args: ["-j8", "all"] }, true],
  ["more of the last", { command: "/usr/bin/make", args: ["-j8", "all", "test", "install"] }, true],
  ["none of the last", { command: "/usr/bin/make", args: ["-j8"] }, true],
  ["too few arguments", { command: "/usr/bin/make", args: [] }, false],
  ["the second pattern of a command", { command: "/usr/bin/make", args: ["all"] }, true],
  ["an argument that only begins like one", { command: "/usr/bin/make", args: ["-j8x", "all"] }, false],
  ["an argument that only ends like one", { command: "/usr/bin/make", args: ["--x-j8", "all"] }, false],
  ["a line break behind an argument", { command: "/usr/bin/make", args: ["-j8\n", "all"] }, false],
  ["an argument out of its place", { command: "/usr/bin/make", args: ["all", "-j8"] }, false],
  ["a long argument that matches", { command: "/usr/bin/make", args: ["-j8", "a".repeat(5_000)] }, true],
  ["many long arguments that match", {
    command: "/usr/bin/make",
    args: ["-j8", ...Array(20).fill("a".repeat(4_000))],
  }, true],
  ["a variable that is named", { command: "/usr/bin/make", args: ["-j8", "all"], env: { CC: "gcc" } }, true],
  ["a variable that is not", { command: "/usr/bin/make", args: ["all"], env: { LD_PRELOAD: "/tmp/x.so" } }, false],
  ["a variable of another pattern", { command: "/usr/bin/make", args: ["all"], env: { CC: "gcc" } }, false],
  ["a directory that matches", { command: "/usr/bin/make", args: ["-j8", "all"], cwd: "/srv/web" }, true],
  ["a directory that does not", { command: "/usr/bin/make", args: ["-j8", "all"], cwd: "/srv/../tmp" }, false],
  ["a directory that a wide pattern matches", { command: "/bin/any", cwd: "/srv/a/..b" }, true],
  ["the way back up from it", { command: "/bin/any", cwd: "/srv/../etc" }, false],
  ["the way back up at its end", { command: "/bin/any", cwd: "/srv/.." }, false],
  ["a directory where none is named", { command: "/bin/true", cwd: "/srv/web" }, false],
  ["any arguments", { command: "/bin/any", args: ["-x", "\n"] }, true],
  ["labels and limits", { command: "/bin/true", labels: { a: "b" }, timeout_ms: 5, max_output_bytes: 9 }, true],
  ["a template", { template: "deploy" }, false],
];

Deno.test("a refusal counts the missing arguments", () => {
  const refusal = (args: readonly string[]) => {
    const policy = parsePolicy(JSON.stringify(commanded({ args })));
    return decideRegister(policy, as("r"), request({ command: "/bin/x" })).rule;
  };
  assert.match(refusal(["a"]), /fewer than 1 argument for "\/bin\/x"/);
  assert.match(refusal(["a", "b"]), /fewer than 2 arguments for "\/bin\/x"/);
});

const roles = (rule: unknown) => ({ roles: { r: [rule] } });
const ruled = (more: object) => roles({ calls: ["all"], jobs: "own", ...more });
const commanded = (more: object) => ruled({ commands: [{ path: "/bin/x", ...more }] });
const templated = (more: object) => ({ roles: {}, templates: { t: { command: "/bin/x", ...more } } });
const wrong: [string, unknown, RegExp][] = [
  ["no object", [], /give an object/],
  ["no roles", {}, /field "roles" is missing/],
  ["an unknown field", { roles: {}, role: {} }, /unknown field "role": give "roles", "templates"/],
  ["a role that is no list", { roles: { r: {} } }, /"roles.r": give a list/],
  ["a rule without calls", roles({ jobs: "own" }), /"roles.r\[0\]": field "calls" is missing/],
  ["a rule without jobs", roles({ calls: ["all"] }), /field "jobs" is missing/],
  ["an unknown call", ruled({ calls: ["Registre"] }), /"Registre" is not a call/],
  ["a call that needs no rule", ruled({ calls: ["WhoAmI"] }), /"WhoAmI" is not a call/],
  ["a call by the name of what objects have", ruled({ calls: ["constructor"] }), /is not a call/],
  ["unknown jobs", ruled({ jobs: "mine" }), /give "own", "all" or/],
  ["jobs by no label", ruled({ jobs: { labels: {} } }), /no label would mean every job/],
  ["a label that is no text", ruled({ jobs: { labels: { a: 1 } } }), /"roles.r\[0\].jobs.labels.a": give a string/],
  ["a misspelt limit", ruled({ command: [] }), /unknown field "command"/],
  ["a relative command", ruled({ commands: [{ path: "make" }] }), /give an absolute path/],
  ["a broken pattern", commanded({ args: ["("] }), /args\[0\]": it is not a regular expression/],
  ["a pattern that escapes its anchors", commanded({ args: ["a)|(b"] }), /it is not a regular expression/],
  ["a repetition of nothing", commanded({ args: ["..."] }), /repeats the pattern before it/],
  ["an unknown template", ruled({ templates: ["nope"] }), /there is no template "nope"/],
  ["a template with an unknown parameter", templated({ args: ["{x}"] }), /there is no parameter "x"/],
  ["a template with a single brace", templated({ args: ["{"] }), /a single brace/],
  ["a parameter without a kind", templated({ parameters: { a: {} } }), /give one of "int", "enum" and "pattern"/],
  ["a parameter of two kinds", templated({ parameters: { a: { enum: [], pattern: "x" } } }), /give one of/],
  ["a default of another kind", templated({ parameters: { a: { enum: ["x"], default: "y" } } }), /own kind/],
];

for (const [what, fields, wanted] of commands) {
  Deno.test(`decideRegister() ${wanted ? "allows" : "denies"} a role limited to commands ${what}`, () => {
    assert.equal(allows(POLICY, ["builder"], fields), wanted);
  });
}

Deno.test("decideRegister() names the rule that allows, and says why it denies", () => {
  const decide = (fields: object) => decideRegister(POLICY, as("builder"), request(fields)).rule;
  assert.equal(decide({ command: "/bin/true" }), "builder/1");
  assert.equal(decide({ command: "sh" }), 'rule "builder/1" does not allow the command "sh"');
  assert.equal(
    decide({ command: "/usr/bin/make", args: ["x"] }),
    'rule "builder/1" does not allow argument 1, "x", for "/usr/bin/make"',
  );
});

Deno.test("decideRegister() allows the server's user and the named users only", () => {
  const asUser = (user: string) =>
    decideRegister(POLICY, as("builder"), { ...request({ command: "/bin/true" }), user } as JobRequest).allowed;
  assert.deepEqual(["", "build", "root"].map(asUser), [true, true, false]);
});

Deno.test("decideRegister() denies a field that a limited rule does not know", () => {
  const with_ = (field: object) =>
    decideRegister(POLICY, as("builder"), { ...request({ command: "/bin/true" }), ...field } as JobRequest).allowed;
  assert.equal(with_({ privileged: true }), false);
  assert.equal(with_({ privileged: false, mounts: [], mode: "MODE_UNSPECIFIED", extra: null, count: 0 }), true);
});

Deno.test("a rule for labels shows the jobs with all of its labels, and changes none", () => {
  const job = (labels: Record<string, string>, owner = "bob") => ({ owner, labels });
  const web = job({ team: "web", public: "yes", more: "x" });
  assert.equal(sees(POLICY, as("watcher"), web), true);
  assert.equal(sees(POLICY, as("watcher"), job({ team: "web" })), false);
  assert.equal(sees(POLICY, as("watcher"), job({ team: "web", public: "no" })), false);
  assert.equal(decideJob(POLICY, as("watcher"), "Stop", web).allowed, false);
  assert.equal(decideMethod(POLICY, as("watcher"), "/teleport.v1.JobWorker/Stop").allowed, false);
  const { owner, shows } = listScope(POLICY, as("watcher"), "List");
  assert.equal(owner, undefined);
  assert.deepEqual([shows!(web), shows!(job({ team: "db" }))], [true, false]);
  // One role with two rules shows own jobs and those with the label.
  const both = listScope(POLICY, as("builder"), "List");
  assert.deepEqual([job({}, "ann"), job({ team: "web" }), job({})].map((one) => both.shows!(one)), [true, true, false]);
});

Deno.test("decideRegister() requires the labels of the rule", () => {
  assert.equal(allows(POLICY, ["labeller"], { command: "x", labels: { team: "web" } }), true);
  assert.equal(allows(POLICY, ["labeller"], { command: "x", labels: { team: "db" } }), false);
  assert.equal(allows(POLICY, ["labeller"], { command: "x" }), false);
});

Deno.test("parsePolicy() replaces the default roles: others may only ask for health", () => {
  for (const role of ["admin", "operator", "viewer", "empty", "constructor", ""]) {
    for (const call of ["List", "Register", "WhoAmI", "CanI"]) {
      assert.equal(decideMethod(POLICY, as(role), `/teleport.v1.JobWorker/${call}`).allowed, false, `${role} ${call}`);
    }
    assert.equal(decideMethod(POLICY, as(role), "/grpc.health.v1.Health/Check").allowed, true);
  }
});

for (const [what, json, sentence] of wrong) {
  Deno.test(`parsePolicy() refuses ${what}`, () => {
    assert.throws(() => parsePolicy(JSON.stringify(json)), (error) => {
      assert.ok(error instanceof PolicyError);
      assert.match(error.message, sentence);
      assert.match(error.message, /^Cannot use the policy file: .*[^.]$/s);
      return true;
    });
  });
}

Deno.test("parsePolicy() refuses a text that is not JSON or too long", () => {
  for (const text of ["", "{", "roles: x"]) {
    assert.throws(() => parsePolicy(text), { name: "PolicyError", message: /not JSON/ });
  }
  assert.throws(() => parsePolicy(" ".repeat(1024 * 1024 + 1)), { message: /too long/ });
});

Deno.test("parsePolicy() accepts the policy in the documentation", async () => {
  const text = await Deno.readTextFile(new URL("../../../docs/policy.md", import.meta.url));
  const policy = parsePolicy(/```json\n([^]*?)```/.exec(text)![1]!);
  const make = (args: string[], more: object = {}) =>
    allows(policy, ["builder"], { command: "/usr/bin/make", args, ...more });
  assert.deepEqual([make(["-j8", "all"]), make(["-j8", "all", "test"], { cwd: "/srv/build/web" })], [true, true]);
  assert.deepEqual([make(["-j8", "install"]), make(["-j8"], { env: { LD_PRELOAD: "x" } })], [false, false]);
  const { args } = expandTemplate(
    policy.templates,
    request({ template: "deploy", parameters: { where: "staging", version: "v1.2" } }),
  );
  assert.deepEqual(args, ["--to=staging", "--count=1", "v1.2"]);
});
