/** Decides whether a rule allows a new job: its command, its arguments, its user and its options. */
import { quote } from "../../base/quote.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import type { Pattern } from "./pattern.ts";
import { askedOptions, FIELD_KINDS, type FieldKind } from "./fields.ts";

/** A command that a rule allows. */
export interface CommandPattern {
  /** The absolute path of the command. A request must give exactly this path. */
  readonly path: string;
  /** The pattern of each argument. `any`: all arguments are allowed. */
  readonly args: "any" | readonly Pattern[];
  /** True when the last pattern also applies to any number of further arguments. */
  readonly repeats: boolean;
  /** The variables that may be set. Others, such as LD_PRELOAD, could turn the command into another one. */
  readonly env: ReadonlySet<string>;
  /** The pattern of the working directory. Absent: only the server's default is allowed. */
  readonly cwd?: Pattern | undefined;
}

/** The part of a rule that is about new jobs. */
export interface CommandRule {
  /** The allowed commands. If templates are absent too, every command is allowed. */
  readonly commands?: readonly CommandPattern[] | undefined;
  /** The allowed templates. */
  readonly templates?: ReadonlySet<string> | undefined;
  /** The system users that jobs may run as; `*` for all. The server's own user is always allowed. */
  readonly users?: readonly string[] | undefined;
  /** The system groups that jobs may run as; `*` for all. The permission for a user does not include its groups. */
  readonly groups?: readonly string[] | undefined;
  /** The allowed fields of a request among those that `fields.ts` guards; `*` for all. */
  readonly options?: readonly string[] | undefined;
}

/**
 * The most steps to match one request, half a second. A pattern of usual size (50) can match more text than Linux takes as
 * arguments. Only large counts such as `{1,1000}` reach the limit.
 */
const MAX_STEPS = 50_000_000;

/** Returns the reason why a rule does not allow a request; undefined when it does. */
export function commandRefusal(
  rule: CommandRule & { readonly name: string },
  request: wire.JobRequest,
  kinds: Readonly<Record<string, FieldKind>> = FIELD_KINDS,
): string | undefined {
  const { user = "", group = "" } = request as { readonly user?: string; readonly group?: string };
  if (user !== "" && !names(rule.users, user)) {
    return `rule "${rule.name}" does not let a job run as the user ${quote(user)}`;
  }
  if (group !== "" && !names(rule.groups, group)) {
    return `rule "${rule.name}" does not let a job run as the group ${quote(group)}`;
  }
  const limited = rule.commands !== undefined || rule.templates !== undefined;
  // This also applies to templates: the caller may not add an option that the template does not have.
  const extra = askedOptions(request, limited, kinds).find((name) => !names(rule.options, name));
  if (extra !== undefined) return `rule "${rule.name}" does not allow "${extra}" with a job`;
  if (!limited) return undefined;
  if (request.template !== "") {
    return rule.templates?.has(request.template)
      ? undefined
      : `rule "${rule.name}" does not allow the template ${quote(request.template)}`;
  }
  const patterns = (rule.commands ?? []).filter(({ path }) => path === request.command);
  if (patterns.length === 0) {
    return `rule "${rule.name}" does not allow the command ${quote(request.command)}`;
  }
  const refusals = patterns.map((pattern) => patternRefusal(pattern, request));
  return refusals.includes(undefined) ? undefined : `rule "${rule.name}" does not allow ${refusals[0]}`;
}

function patternRefusal(pattern: CommandPattern, { command, args, env, cwd }: wire.JobRequest): string | undefined {
  const variable = Object.keys(env).find((name) => !pattern.env.has(name));
  if (variable !== undefined) {
    return `the variable ${quote(variable)} for ${JSON.stringify(command)}`;
  }
  // The author of a pattern thinks of the directories below, not of the way back up.
  if (cwd !== "" && (!matches(pattern.cwd, cwd) || cwd.split("/").includes(".."))) {
    return `the directory ${quote(cwd)}`;
  }
  if (pattern.args === "any") return undefined;
  const patterns = pattern.args;
  const patternOf = (index: number) => patterns[index] ?? (pattern.repeats ? patterns.at(-1) : undefined);
  const steps = args.reduce((sum, arg, index) => sum + (patternOf(index)?.stepsFor(arg) ?? 0), 0);
  if (steps > MAX_STEPS) return `arguments that are too long for the patterns of ${JSON.stringify(command)}`;
  const wrong = args.findIndex((arg, index) => !matches(patternOf(index), arg));
  if (wrong >= 0) {
    return `argument ${wrong + 1}, ${JSON.stringify(args[wrong]?.slice(0, 200))}, for ${JSON.stringify(command)}`;
  }
  const least = pattern.repeats ? patterns.length - 1 : patterns.length;
  return args.length < least
    ? `fewer than ${least} ${least === 1 ? "argument" : "arguments"} for ${JSON.stringify(command)}`
    : undefined;
}

function matches(pattern: Pattern | undefined, text: string): boolean {
  return pattern !== undefined && pattern.stepsFor(text) <= MAX_STEPS && pattern.matches(text);
}

function names(list: readonly string[] | undefined, name: string): boolean {
  return list?.includes(name) === true || list?.includes("*") === true;
}
