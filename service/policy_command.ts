/** What a rule lets its holders run: which commands, with which arguments, as whom. */
import type * as wire from "../proto/teleport/v1/job_worker.ts";

/** One command that may be run. */
export interface CommandPattern {
  /** The command as it must be given, an absolute path. */
  readonly path: string;
  /** What each argument must match as a whole. `any`: whatever they are. */
  readonly args: "any" | readonly RegExp[];
  /** The last pattern is for any number of further arguments too. */
  readonly repeats: boolean;
  /** Variables that may be set. With others, such as LD_PRELOAD, a command is another command. */
  readonly env: ReadonlySet<string>;
  /** What the working directory must match as a whole. Absent: only the server's default. */
  readonly cwd?: RegExp | undefined;
}

/** The part of a rule that is about what a new job runs. */
export interface CommandRule {
  /** Absent, and templates too: any command, in any way. */
  readonly commands?: readonly CommandPattern[] | undefined;
  /** Templates that may be used. */
  readonly templates?: ReadonlySet<string> | undefined;
  /** Users of the server's system that jobs may run as; `*` stands for all. The server's own needs no permission. */
  readonly users?: readonly string[] | undefined;
}

/** An argument that is matched against a pattern is no longer than this, so that no pattern takes for ever. */
const MAX_MATCHED_CHARS = 4096;

/** What describes or limits a job and changes nothing about what it is. All else a limited rule must allow by name. */
const HARMLESS: ReadonlySet<string> = new Set([
  "command",
  "args",
  "env",
  "cwd",
  "labels",
  "timeout_ms",
  "grace_ms",
  "max_output_bytes",
  "output_policy",
  "request_id",
  "user",
  "template",
  "parameters",
]);

/** Why a rule does not allow a request; undefined when it does. */
export function commandRefusal(
  rule: CommandRule & { readonly name: string },
  request: wire.JobRequest,
): string | undefined {
  const { user = "" } = request as { readonly user?: string };
  if (user !== "" && rule.users?.includes(user) !== true && rule.users?.includes("*") !== true) {
    return `rule "${rule.name}" does not let a job run as the user ${JSON.stringify(user)}`;
  }
  if (rule.commands === undefined && rule.templates === undefined) return undefined;
  if (request.template !== "") {
    return rule.templates?.has(request.template)
      ? undefined
      : `rule "${rule.name}" does not allow the template ${JSON.stringify(request.template)}`;
  }
  const extra = Object.entries(request).find(([name, value]) => !HARMLESS.has(name) && !isDefault(value));
  if (extra !== undefined) return `rule "${rule.name}" does not allow "${extra[0]}" with a job`;
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
  if (cwd !== "" && !matches(pattern.cwd, cwd)) return `the directory ${JSON.stringify(cwd.slice(0, 200))}`;
  if (pattern.args === "any") return undefined;
  const patterns = pattern.args;
  const wrong = args.findIndex((arg, index) => {
    const expected = patterns[index] ?? (pattern.repeats ? patterns.at(-1) : undefined);
    return !matches(expected, arg);
  });
  if (wrong >= 0) {
    return `argument ${wrong + 1}, ${JSON.stringify(args[wrong]?.slice(0, 200))}, for ${JSON.stringify(command)}`;
  }
  const least = pattern.repeats ? patterns.length - 1 : patterns.length;
  return args.length < least ? `so few arguments for ${JSON.stringify(command)}` : undefined;
}

function matches(pattern: RegExp | undefined, text: string): boolean {
  return pattern !== undefined && text.length <= MAX_MATCHED_CHARS && pattern.test(text);
}

/** True for what a field has that was not sent. */
function isDefault(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (typeof value === "string") return value.endsWith("_UNSPECIFIED");
  return typeof value === "object" && Object.values(value).every(isDefault);
}
