/** Reads a policy file: JSON, every word of it known, or refused with the place where it is wrong. */
import {
  JsonFormError,
  parseJson,
  readFields,
  readList,
  readObject,
  readString,
  readStrings,
} from "../../text/strict_json.ts";
import { oneLine } from "../../text/unprintable.ts";
import type { CallName } from "../../proto/service.ts";
import { Pattern } from "./pattern.ts";
import { CALL_KINDS, type Policy, type Rule, type Scope } from "./policy.ts";
import type { CommandPattern } from "./command.ts";
import { optionNames } from "./fields.ts";
import { PolicyError } from "../errors.ts";
import { callsOfKind } from "./default.ts";
import { isOfKind, type Parameter, type ParameterKind, type Template, type TemplateText } from "./template.ts";

/** A policy with the text it was read from, by which a new one is told from the old. */
export interface PolicyText {
  readonly text: string;
  readonly policy: Policy;
}

/** Far more than any policy; a file beyond it is something else. */
export const MAX_POLICY_CHARS = 1024 * 1024;

/**
 * Reads the text of a policy file.
 *
 * @throws {PolicyError} for anything that is not exactly as documented, so that no misspelt word silently allows or
 * denies something
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
    Object.entries(templates === undefined ? {} : readObject(templates, "templates")).map((
      [name, value],
    ) => [name, template(value, `templates.${name}`)]),
  );
  return {
    roles: new Map(
      Object.entries(readObject(roles, "roles")).map(([role, rules]) => [
        role,
        readList(rules, `roles.${role}`).map((value, index) =>
          rule(value, `roles.${role}[${index}]`, `${role}/${index + 1}`, made)
        ),
      ]),
    ),
    templates: made,
  };
}

function rule(value: unknown, at: string, name: string, templates: ReadonlyMap<string, Template>): Rule {
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
  const names = given.templates === undefined ? undefined : readStrings(given.templates, `${at}.templates`);
  const missing = names?.find((name) => !templates.has(name));
  if (missing !== undefined) {
    throw new JsonFormError(`${at}.templates`, `there is no template ${JSON.stringify(missing)}`);
  }
  const commands = given.commands === undefined
    ? undefined
    : readList(given.commands, `${at}.commands`).map((one, index) => command(one, `${at}.commands[${index}]`));
  return {
    name,
    calls: new Set(readStrings(given.calls, `${at}.calls`).flatMap((call) => callsOf(call, `${at}.calls`))),
    jobs: scope(given.jobs, `${at}.jobs`),
    ...(commands && { commands }),
    ...(names && { templates: new Set(names) }),
    ...(given.users === undefined ? {} : { users: readStrings(given.users, `${at}.users`) }),
    ...(given.groups === undefined ? {} : { groups: readStrings(given.groups, `${at}.groups`) }),
    ...(given.options === undefined ? {} : { options: options(given.options, `${at}.options`) }),
  };
}

function options(value: unknown, at: string): string[] {
  const known = ["*", ...optionNames()];
  const names = readStrings(value, at);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new JsonFormError(
    at,
    `${JSON.stringify(unknown)} is no option of a job that needs naming: give ${
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
    `${JSON.stringify(name)} is no call: give names such as "Register", or "read", "change" or "all"`,
  );
}

function scope(value: unknown, at: string): Scope {
  if (value === "own" || value === "all") return value;
  if (typeof value === "string") throw new JsonFormError(at, 'give "own", "all" or { "labels": { … } }');
  const labels = readObject(readFields(value, at, { labels: true }).labels, `${at}.labels`);
  if (Object.keys(labels).length === 0) throw new JsonFormError(at, 'no label would mean every job: say "all"');
  return {
    labels: Object.fromEntries(
      Object.entries(labels).map(([key, one]) => [key, readString(one, `${at}.labels.${key}`)]),
    ),
  };
}

function command(value: unknown, at: string): CommandPattern {
  const given = readFields(value, at, { path: true, args: false, env: false, cwd: false, comment: false });
  const path = absolute(given.path, `${at}.path`);
  if (given.args === "any") return { path, args: "any", repeats: false, ...surroundings(given, at) };
  const words = given.args === undefined ? [] : readStrings(given.args, `${at}.args`);
  const repeats = words.at(-1) === "...";
  if (repeats && words.length < 2) {
    throw new JsonFormError(`${at}.args`, '"..." repeats the pattern before it, and there is none');
  }
  const patterns = (repeats ? words.slice(0, -1) : words).map((word, index) => pattern(word, `${at}.args[${index}]`));
  return { path, args: patterns, repeats, ...surroundings(given, at) };
}

function surroundings(
  given: Readonly<Record<string, unknown>>,
  at: string,
): Pick<CommandPattern, "env" | "cwd"> {
  const { env, cwd } = given;
  return {
    env: new Set(env === undefined ? [] : readStrings(env, `${at}.env`)),
    ...(cwd === undefined ? {} : { cwd: pattern(readString(cwd, `${at}.cwd`), `${at}.cwd`) }),
  };
}

function template(value: unknown, at: string): Template {
  const given = readFields(value, at, {
    command: true,
    args: false,
    env: false,
    cwd: false,
    parameters: false,
    comment: false,
  });
  const parameters = new Map(
    Object.entries(given.parameters === undefined ? {} : readObject(given.parameters, `${at}.parameters`)).map((
      [name, one],
    ) => [name, parameter(one, `${at}.parameters.${name}`)]),
  );
  const env = given.env === undefined ? {} : readObject(given.env, `${at}.env`);
  return {
    command: absolute(given.command, `${at}.command`),
    args: (given.args === undefined ? [] : readStrings(given.args, `${at}.args`)).map((word, index) =>
      templateText(word, `${at}.args[${index}]`, parameters)
    ),
    env: Object.fromEntries(
      Object.entries(env).map((
        [name, one],
      ) => [name, templateText(readString(one, `${at}.env.${name}`), `${at}.env.${name}`, parameters)]),
    ),
    cwd: given.cwd === undefined ? "" : absolute(given.cwd, `${at}.cwd`),
    parameters,
  };
}

function parameter(value: unknown, at: string): Parameter {
  const given = readFields(value, at, { int: false, enum: false, pattern: false, default: false, comment: false });
  const kinds: ParameterKind[] = [];
  if (given.int !== undefined) {
    const { min, max } = readFields(given.int, `${at}.int`, { min: true, max: true });
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
      throw new JsonFormError(`${at}.int`, "give whole numbers");
    }
    kinds.push({ kind: "int", min: Number(min), max: Number(max) });
  }
  if (given.enum !== undefined) kinds.push({ kind: "enum", values: readStrings(given.enum, `${at}.enum`) });
  if (given.pattern !== undefined) {
    kinds.push({ kind: "pattern", pattern: pattern(readString(given.pattern, `${at}.pattern`), `${at}.pattern`) });
  }
  const [is, ...more] = kinds;
  if (is === undefined || more.length > 0) throw new JsonFormError(at, 'give one of "int", "enum" and "pattern"');
  if (given.default === undefined) return { is };
  const byDefault = readString(given.default, `${at}.default`);
  if (!isOfKind(is, byDefault)) throw new JsonFormError(`${at}.default`, "it is not of the parameter's own kind");
  return { is, byDefault };
}

/** `{name}` stands for a parameter; `{{` and `}}` for braces. */
function templateText(word: string, at: string, parameters: ReadonlyMap<string, Parameter>): TemplateText {
  const parts: (string | { parameter: string })[] = [];
  for (const [token] of word.matchAll(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (token === "{{" || token === "}}") parts.push(token.charAt(0));
    else if (token === "{" || token === "}") {
      throw new JsonFormError(at, `a single brace: write "${token}${token}" for one`);
    } else if (token.startsWith("{")) {
      const name = token.slice(1, -1);
      if (!parameters.has(name)) throw new JsonFormError(at, `there is no parameter ${JSON.stringify(name)}`);
      parts.push({ parameter: name });
    } else parts.push(token);
  }
  return parts;
}

function pattern(source: string, at: string): Pattern {
  try {
    return new Pattern(source);
  } catch (cause) {
    throw new JsonFormError(at, `no regular expression without look-around and back-references: ${oneLine(cause)}`);
  }
}

function absolute(value: unknown, at: string): string {
  const path = readString(value, at);
  if (!path.startsWith("/") || path.includes("\0")) throw new JsonFormError(at, "give an absolute path");
  return path;
}
