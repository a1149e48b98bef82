/** Templates of a policy: parameters, and requests that they refuse. */
import assert from "node:assert/strict";
import { parsePolicy } from "../../../service/policy/file.ts";
import { expandTemplate } from "../../../service/policy/template.ts";
import { allows, POLICY, request } from "./policy_fixture.ts";

const badParameters: [string, Record<string, string>, RegExp][] = [
  ["a missing one", { where: "staging" }, /Missing parameter "version": give text that matches/],
  ["an unknown one", { where: "staging", version: "v1", x: "y" }, /Unknown parameter "x": the template has "where"/],
  ["one of another list", { where: "moon", version: "v1" }, /Invalid parameter "where", "moon": give one of "staging"/],
  ["one beyond its bounds", { where: "staging", version: "v1", count: "10" }, /an integer from -1 to 9/],
  ["one that is no number", { where: "staging", version: "v1", count: "1e0" }, /an integer from/],
  ["a number with a zero in front", { where: "staging", version: "v1", count: "01" }, /an integer from/],
  ["one that matches in part", { where: "staging", version: "v1; rm -rf /" }, /Invalid parameter "version"/],
  ["one that looks like an option", { where: "staging", version: "--help" }, /not beginning with "-"/],
  ["an empty one", { where: "", version: "v1" }, /Invalid parameter "where", ""/],
  ["one by the name of what objects have", { where: "staging", version: "v1", toString: "x" }, /Unknown parameter/],
];

Deno.test("decideRegister() denies commands to a role limited to templates", () => {
  const good = { template: "deploy", parameters: { where: "staging", version: "v1.2" } };
  assert.equal(allows(POLICY, ["deployer"], good), true);
  for (const fields of [{ command: "/usr/bin/deploy" }, { command: "sh" }, { template: "other" }, {}]) {
    assert.equal(allows(POLICY, ["deployer"], fields), false, JSON.stringify(fields));
  }
});

Deno.test("expandTemplate() fills each parameter into its argument", () => {
  const { command, args, env, cwd, labels } = expandTemplate(
    POLICY.templates,
    request({ template: "deploy", parameters: { where: "staging", version: "latest" }, labels: { a: "b" } }),
  );
  assert.deepEqual(
    { command, args, env, cwd, labels },
    {
      command: "/usr/bin/deploy",
      args: ["--to=staging", "{literal}", "1", "latest"],
      env: { MODE: "m-staging" },
      cwd: "/srv",
      labels: { a: "b" },
    },
  );
});

for (const [what, parameters, sentence] of badParameters) {
  Deno.test(`expandTemplate() refuses ${what}`, () => {
    assert.throws(() => expandTemplate(POLICY.templates, request({ template: "deploy", parameters })), {
      code: "INVALID_ARGUMENT",
      message: sentence,
    });
  });
}

Deno.test("expandTemplate() refuses a value that looks like an option, for every pattern", () => {
  const { templates } = parsePolicy(JSON.stringify({
    roles: {},
    templates: { t: { command: "/bin/x", args: ["{any}"], parameters: { any: { pattern: ".*" } } } },
  }));
  const args = (any: string) => expandTemplate(templates, request({ template: "t", parameters: { any } })).args;
  assert.deepEqual(args("a -b"), ["a -b"]);
  for (const any of ["-", "-x", "--help"]) assert.throws(() => args(any), { message: /not beginning with "-"/ });
});

Deno.test("expandTemplate() refuses a command with a template, and parameters without one", () => {
  const parameters = { where: "staging", version: "v1" };
  for (const own of [{ command: "sh" }, { args: ["x"] }, { env: { A: "b" } }, { cwd: "/" }]) {
    assert.throws(() => expandTemplate(POLICY.templates, request({ template: "deploy", parameters, ...own })), {
      message: /^Unexpected command, arguments/,
    });
  }
  assert.throws(() => expandTemplate(POLICY.templates, request({ command: "x", parameters })), {
    message: /^Unexpected parameters/,
  });
  assert.throws(() => expandTemplate(POLICY.templates, request({ template: "nope" })), {
    message: /^Unknown template/,
  });
});
