/** The policy kinds of all fields of the definition: no field is a way around a limited role. */
import assert from "node:assert/strict";
import protobuf from "protobufjs";
import { Pattern } from "../../../service/policy/pattern.ts";
import { commandRefusal, type CommandRule } from "../../../service/policy/command.ts";
import { askedOptions, FIELD_KINDS, type FieldKind, optionNames } from "../../../service/policy/fields.ts";
import { parsePolicy } from "../../../service/policy/file.ts";
import type { JobRequest } from "../../../proto/teleport/v1/job_worker.ts";
import { methods, root } from "../../../rpc/shared/definition.ts";

const type = root.lookupType("teleport.v1.JobRequest");
const kinds: Readonly<Record<string, FieldKind>> = FIELD_KINDS;

/** Returns a request as a handler receives it. */
function sent(fields: object): JobRequest {
  const { requestDeserialize, requestSerialize } = methods.Register;
  return requestDeserialize(requestSerialize(fields)) as unknown as JobRequest;
}

/** Returns a value of a field that differs from an absent one. */
function someValue(field: typeof type.fieldsArray[number]): unknown {
  const one = field.resolvedType !== null && "values" in field.resolvedType
    ? Math.max(...Object.values(field.resolvedType.values))
    : field.resolvedType !== null
    ? {}
    : field.type === "string"
    ? "x"
    : field.type === "bytes"
    ? new Uint8Array(1)
    : field.type === "bool"
    ? true
    : 1;
  return field.map ? { x: one } : field.repeated ? [one] : one;
}

const byCommand: CommandRule & { name: string } = {
  name: "r/1",
  commands: [{ path: "/bin/x", args: "any", repeats: false, env: new Set(["x"]), cwd: new Pattern("x") }],
};
const byTemplate: CommandRule & { name: string } = { name: "r/1", templates: new Set(["t"]) };
const unlimited: CommandRule & { name: string } = { name: "r/1" };

Deno.test("FIELD_KINDS has exactly the fields of the definition", () => {
  const inDefinition = type.fieldsArray.map(({ name }) => name);
  assert.ok(inDefinition.length >= 12);
  const withoutKind = inDefinition.filter((name) => !Object.hasOwn(kinds, name));
  assert.deepEqual(withoutKind, []);
  const gone = Object.keys(kinds).filter((name) => !inDefinition.includes(name) && name !== "user" && name !== "group");
  assert.deepEqual(gone, []);
});

for (const field of type.fieldsArray) {
  Deno.test(`commandRefusal() refuses a field that a limited rule does not name: ${field.name}`, () => {
    const kind = kinds[field.name] ?? "";
    const values = [someValue(field)];
    // An absent optional field, or message, differs from its zero.
    if (field.partOf !== null && field.resolvedType === null) values.push(field.type === "string" ? "" : 0);
    for (const value of values) {
      for (const [rule, base] of [[byCommand, { command: "/bin/x" }], [byTemplate, { template: "t" }]] as const) {
        assert.equal(commandRefusal(rule, sent(base)), undefined, "Without the field the rule allows it");
        const request = sent({ ...base, [field.name]: field.type === "bool" && value === 0 ? false : value });
        const refusal = commandRefusal(rule, request);
        if (kind === "harmless") assert.equal(refusal, undefined);
        else if (kind !== "judged") {
          assert.equal(refusal, `rule "r/1" does not allow "${field.name}" with a job`);
          assert.equal(commandRefusal({ ...rule, options: [field.name] }, request), undefined);
          assert.equal(commandRefusal({ ...rule, options: ["*"] }, request), undefined);
        } else if (field.name === "user" || field.name === "group") {
          assert.match(refusal ?? "", /does not let a job run as the (user|group) "x"/);
        }
      }
    }
  });
}

/** A definition with a field of every possible form. */
const later = protobuf.parse(
  `syntax = "proto3"; package a;
  message Limits { uint64 memory = 1; }
  enum Level { LEVEL_UNSPECIFIED = 0; LEVEL_HIGH = 1; }
  message JobRequest {
    string command = 1; repeated string args = 16; map<string, string> env = 17; string cwd = 18;
    string template = 60; string user = 2; string group = 3;
    bool input = 4; optional bool isolate = 5; optional uint64 memory = 6; Limits limits = 7; repeated string mounts = 8;
    map<string, string> devices = 9; Level level = 10; bytes script = 11; optional string profile = 12;
    bool inherit = 13; optional bool privileges = 14; bool unheard_of = 15;
  }`,
  { keepCase: true },
).root.resolveAll().lookupType("a.JobRequest");
const laterKinds: Record<string, FieldKind> = {
  command: "judged",
  args: "judged",
  env: "judged",
  cwd: "judged",
  template: "judged",
  user: "judged",
  group: "judged",
  input: "guarded",
  isolate: "guarded if present",
  memory: "guarded if present",
  limits: "guarded if present",
  mounts: "guarded",
  devices: "guarded",
  level: "guarded",
  script: "guarded",
  profile: "guarded if present",
  inherit: "privileged",
  privileges: "privileged if present",
};

function sentLater(fields: object): JobRequest {
  const decoded = later.decode(later.encode(later.fromObject(fields)).finish());
  return later.toObject(decoded, { longs: Number, enums: String, defaults: true }) as unknown as JobRequest;
}

/** Fields in addition to the command, each with the option that it needs. */
const asked: [object, string][] = [
  [{ input: true }, "input"],
  [{ isolate: true }, "isolate"],
  [{ isolate: false }, "isolate"],
  [{ memory: 1 }, "memory"],
  [{ memory: 0 }, "memory"],
  [{ limits: { memory: 1 } }, "limits"],
  [{ limits: {} }, "limits"],
  [{ mounts: [""] }, "mounts"],
  [{ devices: { "": "" } }, "devices"],
  [{ level: 1 }, "level"],
  [{ script: new Uint8Array(1) }, "script"],
  [{ profile: "" }, "profile"],
];

for (const [fields, option] of asked) {
  Deno.test(`commandRefusal() lets a limited rule allow a guarded field by name: ${JSON.stringify(fields)}`, () => {
    for (const [rule, base] of [[byCommand, { command: "/bin/x" }], [byTemplate, { template: "t" }]] as const) {
      const request = sentLater({ ...base, ...fields });
      assert.match(commandRefusal(rule, request, laterKinds) ?? "", new RegExp(`does not allow "${option}"`));
      assert.equal(commandRefusal({ ...rule, options: [option] }, request, laterKinds), undefined);
      assert.notEqual(commandRefusal({ ...rule, options: ["other"] }, request, laterKinds), undefined);
    }
    assert.equal(commandRefusal(unlimited, sentLater({ command: "sh", ...fields }), laterKinds), undefined);
  });
}

for (const fields of [{ inherit: true }, { privileges: true }, { privileges: false }, { unheard_of: true }]) {
  const [option = ""] = Object.keys(fields);
  Deno.test(`commandRefusal() lets every rule allow a privileged field by name: ${JSON.stringify(fields)}`, () => {
    const request = sentLater({ command: "/bin/x", ...fields });
    for (const rule of [byCommand, unlimited]) {
      assert.match(commandRefusal(rule, request, laterKinds) ?? "", new RegExp(`does not allow "${option}"`));
      assert.equal(commandRefusal({ ...rule, options: [option] }, request, laterKinds), undefined);
    }
  });
}

Deno.test("askedOptions() ignores fields that were not sent", () => {
  assert.deepEqual(askedOptions(sentLater({}), true, laterKinds), []);
  assert.deepEqual(askedOptions(sent({}), true), []);
});

Deno.test("commandRefusal() treats the permissions for users and groups separately", () => {
  const as = (rule: CommandRule, fields: object) =>
    commandRefusal({ name: "r/1", ...rule }, sentLater({ command: "sh", ...fields }), laterKinds) === undefined;
  const build: CommandRule = { users: ["build"], groups: ["dev"] };
  assert.deepEqual(
    [{}, { user: "build" }, { group: "dev" }, { user: "build", group: "dev" }].map((fields) => as(build, fields)),
    [true, true, true, true],
  );
  assert.deepEqual(
    [{ user: "root" }, { group: "docker" }, { user: "build", group: "docker" }, { user: "dev" }, { group: "build" }]
      .map((fields) => as(build, fields)),
    [false, false, false, false, false],
  );
  for (const fields of [{ user: "build" }, { group: "dev" }, { user: "*" }]) assert.equal(as({}, fields), false);
  assert.equal(as({ users: ["*"], groups: ["*"] }, { user: "root", group: "docker" }), true);
});

Deno.test("parsePolicy() accepts only options that need a name", () => {
  const policy = (options: unknown) =>
    parsePolicy(JSON.stringify({ roles: { r: [{ calls: ["all"], jobs: "own", groups: ["dev"], options }] } }));
  assert.deepEqual(policy(["*"]).roles.get("r")?.[0]?.options, ["*"]);
  for (const name of optionNames()) assert.deepEqual(policy([name]).roles.get("r")?.[0]?.options, [name]);
  assert.deepEqual(optionNames(laterKinds).slice(0, 2), ["input", "isolate"]);
  for (const options of [["command"], ["labels"], ["user"], ["x"], ["toString"], "*", [1]]) {
    assert.throws(() => policy(options), { name: "PolicyError", message: /roles\.r\[0\]\.options/ });
  }
});
