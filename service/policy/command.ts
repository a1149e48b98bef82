/** What a rule lets its holders run: which commands, with which arguments, as whom. */
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import type { Pattern } from "./pattern.ts";
import { askedOptions, FIELD_KINDS, type FieldKind } from "./fields.ts";

/** One command that may be run. */
export interface CommandPattern {
  /** The command as it must be given, an absolute path. */
  readonly path: string;
  /** What each argument must match as a whole. `any`: whatever they are. */
  readonly args: "any" | readonly Pattern[];
  /** The last pattern is for any number of further arguments too. */
  readonly repeats: boolean;
  /** Variables that may be set. With others, such as LD_PRELOAD, a command is another command. */
  readonly env: ReadonlySet<string>;
  /** What the working directory must match as a whole. Absent: only the server's default. */
  readonly cwd?: Pattern | undefined;
}

/** The part of a rule that is about what a new job runs. */
export interface CommandRule {
  /** Absent, and templates too: any command, in any way. */
  readonly commands?: readonly CommandPattern[] | undefined;
  /** Templates that may be used. */
  readonly templates?: ReadonlySet<string> | undefined;
  /** Users of the server's system that jobs may run as; `*` stands for all. The server's own needs no permission. */
  readonly users?: readonly string[] | undefined;
  /** Groups, in the same way: whoever may be one user may not therefore be in any group. */
  readonly groups?: readonly string[] | undefined;
  /** Fields of a request that may be given though `policy_fields.ts` guards them; `*` stands for all. */
  readonly options?: readonly string[] | undefined;
}

/**
 * So much may be done to match one request: half a second. A pattern of usual size (50) can then be matched against more
 * text than Linux takes for arguments; only large counts such as `{1,1000}` are held to less.
 */
const MAX_STEPS = 50_000_000;

/** Why a rule does not allow a request; undefined when it does. */
export function commandRefusal(
  rule: CommandRule & { readonly name: string },
  request: wire.JobRequest,
  kinds: Readonly<Record<string, FieldKind>> = FIELD_KINDS,
): string | undefined {
  const { user = "", group = "" } = request as { readonly user?: string; readonly group?: string };
  if (user !== "" && !names(rule.users, user)) {
    return `rule "${rule.name}" does not let a job run as the user ${JSON.stringify(user.slice(0, 200))}`;
  }
  if (group !== "" && !names(rule.groups, group)) {
    return `rule "${rule.name}" does not let a job run as the group ${JSON.stringify(group.slice(0, 200))}`;
  }
  const limited = rule.commands !== undefined || rule.templates !== undefined;
  // Of templates too: what a template does not say is not for its user to say.
  const extra = askedOptions(request, limited, kinds).find((name) => !names(rule.options, name));
  if (extra !== undefined) return `rule "${rule.name}" does not allow "${extra}" with a job`;
  if (!limited) return undefined;
  if (request.template !== "") {
    return rule.templates?.has(request.template)
      ? undefined
      : `rule "${rule.name}" does not allow the template ${JSON.stringify(request.template.slice(0, 200))}`;
  }
  const patterns = (rule.commands ?? []).filter(({ path }) => path === request.command);
  if (patterns.length === 0) {
    return `rule "${rule.name}" does not allow the command ${JSON.stringify(request.command.slice(0, 200))}`;
  }
  const refusals = patterns.map((pattern) => patternRefusal(pattern, request));
  return refusals.includes(undefined) ? undefined : `rule "${rule.name}" does not allow ${refusals[0]}`;
}

function patternRefusal(pattern: CommandPattern, { command, args, env, cwd }: wire.JobRequest): string | undefined {
  const variable = Object.keys(env).find((name) => !pattern.env.has(name));
  if (variable !== undefined) {
    return `the variable ${JSON.stringify(variable.slice(0, 200))} for ${JSON.stringify(command)}`;
  }
  // A pattern's author thinks of what is below a directory, and not of the way back up.
  if (cwd !== "" && (!matches(pattern.cwd, cwd) || cwd.split("/").includes(".."))) {
    return `the directory ${JSON.stringify(cwd.slice(0, 200))}`;
  }
  if (pattern.args === "any") return undefined;
  const patterns = pattern.args;
  const patternOf = (index: number) => patterns[index] ?? (pattern.repeats ? patterns.at(-1) : undefined);
  const steps = args.reduce((sum, arg, index) => sum + (patternOf(index)?.stepsFor(arg) ?? 0), 0);
  if (steps > MAX_STEPS) return `arguments of so many characters for the patterns of ${JSON.stringify(command)}`;
  const wrong = args.findIndex((arg, index) => !matches(patternOf(index), arg));
  if (wrong >= 0) {
    return `argument ${wrong + 1}, ${JSON.stringify(args[wrong]?.slice(0, 200))}, for ${JSON.stringify(command)}`;
  }
  const least = pattern.repeats ? patterns.length - 1 : patterns.length;
  return args.length < least ? `so few arguments for ${JSON.stringify(command)}` : undefined;
}

function matches(pattern: Pattern | undefined, text: string): boolean {
  return pattern !== undefined && pattern.stepsFor(text) <= MAX_STEPS && pattern.matches(text);
}

function names(list: readonly string[] | undefined, name: string): boolean {
  return list?.includes(name) === true || list?.includes("*") === true;
}
