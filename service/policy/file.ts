/** Parses a policy file. */
import { defined } from "../../base/defined.ts";
import {
  JsonFormError,
  parseJson,
  readFields,
  readList,
  readObject,
  readOptional,
  readString,
  readStrings,
} from "../../text/strict_json.ts";
import type { CallName } from "../../proto/service.ts";
import { CALL_KINDS, type Policy, type Rule, type Scope } from "./policy.ts";
import type { CommandPattern } from "./command.ts";
import { optionNames } from "./fields.ts";
import { PolicyError } from "../errors.ts";
import { callsOfKind } from "./default.ts";
import type { Template } from "./template.ts";
import { readTemplate } from "./template_file.ts";
import { readAbsolutePath, readPattern } from "./values.ts";

/** A policy and its text. Two policies are the same if their texts are. */
export interface PolicyText {
  readonly text: string;
  readonly policy: Policy;
}

/** The longest policy file, in UTF-16 code units. */
const MAX_POLICY_CHARS = 1024 * 1024;

/**
 * Parses the text of a policy file.
 *
 * @throws {PolicyError} when a field or a value is not documented. A misspelt name could otherwise allow something.
 *
 * @example
 * ```ts
 * import { parsePolicy } from "./file.ts";
 *
 * parsePolicy(`{ "roles": { "builder": [
 *   { "calls": ["all"], "jobs": "own", "commands": [{ "path": "/usr/bin/make", "args": ["all|test"] }] }
 * ] } }`);
 * ```
 */
export function parsePolicy(text: string): Policy {
  try {
    return policyOf(parseJson(text, MAX_POLICY_CHARS));
  } catch (cause) {
    if (!(cause instanceof JsonFormError)) throw cause;
    throw new PolicyError(`Cannot use the policy file: ${cause.message}`, { cause });
  }
}

function policyOf(json: unknown): Policy {
  const { roles, templates } = readFields(json, "", { roles: true, templates: false, comment: false });
  const made = new Map(
    Object.entries(templates === undefined ? {} : readObject(templates, "templates"))
      .map(([name, value]) => [name, readTemplate(value, `templates.${name}`)]),
  );
  return {
    roles: new Map(
      Object.entries(readObject(roles, "roles")).map(([role, rules]) => [
        role,
        readList(rules, `roles.${role}`).map((value, index) =>
          readRule(value, `roles.${role}[${index}]`, `${role}/${index + 1}`, made)
        ),
      ]),
    ),
    templates: made,
  };
}

function readRule(value: unknown, at: string, name: string, templates: ReadonlyMap<string, Template>): Rule {
  const given = readFields(value, at, {
    calls: true,
    jobs: true,
    commands: false,
    templates: false,
    users: false,
    groups: false,
    options: false,
    comment: false,
  });
  const names = readOptional(given, "templates", at, readStrings);
  const missing = names?.find((name) => !templates.has(name));
  if (missing !== undefined) {
    throw new JsonFormError(`${at}.templates`, `there is no template ${JSON.stringify(missing)}`);
  }
  return {
    name,
    calls: new Set(readStrings(given.calls, `${at}.calls`).flatMap((call) => callsOf(call, `${at}.calls`))),
    jobs: readScope(given.jobs, `${at}.jobs`),
    ...defined({
      commands: readOptional(given, "commands", at, readCommands),
      templates: names && new Set(names),
      users: readOptional(given, "users", at, readStrings),
      groups: readOptional(given, "groups", at, readStrings),
      options: readOptional(given, "options", at, readOptions),
    }),
  };
}

function readOptions(value: unknown, at: string): string[] {
  const known = ["*", ...optionNames()];
  const names = readStrings(value, at);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new JsonFormError(
    at,
    `${JSON.stringify(unknown)} is not an option that a rule can name: give ${
      known.map((name) => `"${name}"`).join(", ")
    }`,
  );
}

function callsOf(name: string, at: string): CallName[] {
  if (name === "all") return [...callsOfKind("read", "change")];
  if (name === "read" || name === "change") return [...callsOfKind(name)];
  if (Object.hasOwn(CALL_KINDS, name) && CALL_KINDS[name as CallName] !== "self") return [name as CallName];
  throw new JsonFormError(
    at,
    `${JSON.stringify(name)} is not a call: give names such as "Register", or "read", "change" or "all"`,
  );
}

function readScope(value: unknown, at: string): Scope {
  if (value === "own" || value === "all") return value;
  if (typeof value === "string") throw new JsonFormError(at, 'give "own", "all" or { "labels": { … } }');
  const labels = readObject(readFields(value, at, { labels: true }).labels, `${at}.labels`);
  if (Object.keys(labels).length === 0) throw new JsonFormError(at, 'no label would mean every job: give "all"');
  return {
    labels: Object.fromEntries(
      Object.entries(labels).map(([key, one]) => [key, readString(one, `${at}.labels.${key}`)]),
    ),
  };
}

function readCommands(value: unknown, at: string): CommandPattern[] {
  return readList(value, at).map((one, index) => readCommand(one, `${at}[${index}]`));
}

function readCommand(value: unknown, at: string): CommandPattern {
  const given = readFields(value, at, { path: true, args: false, env: false, cwd: false, comment: false });
  const path = readAbsolutePath(given.path, `${at}.path`);
  if (given.args === "any") return { path, args: "any", repeats: false, ...readSurroundings(given, at) };
  const words = given.args === undefined ? [] : readStrings(given.args, `${at}.args`);
  const repeats = words.at(-1) === "...";
  if (repeats && words.length < 2) {
    throw new JsonFormError(`${at}.args`, '"..." repeats the pattern before it, and there is none');
  }
  const patterns = (repeats ? words.slice(0, -1) : words).map((word, index) =>
    readPattern(word, `${at}.args[${index}]`)
  );
  return { path, args: patterns, repeats, ...readSurroundings(given, at) };
}

function readSurroundings(
  given: Readonly<Record<string, unknown>>,
  at: string,
): Pick<CommandPattern, "env" | "cwd"> {
  return {
    env: new Set(readOptional(given, "env", at, readStrings)),
    ...defined({ cwd: readOptional(given, "cwd", at, (value, at) => readPattern(readString(value, at), at)) }),
  };
}
