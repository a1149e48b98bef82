/** Templates: commands that the policy defines, with parameters of a declared kind. */
import { quote } from "../../base/quote.ts";
import { InvalidArgumentError } from "../../mod.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import type { Pattern } from "./pattern.ts";

/** The values that a parameter may have. */
export type ParameterKind =
  | { readonly kind: "int"; readonly min: number; readonly max: number }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "pattern"; readonly pattern: Pattern };

/** One parameter. */
export interface Parameter {
  readonly is: ParameterKind;
  /** The default. Absent when the parameter is required. */
  readonly byDefault?: string | undefined;
}

/** A text with parameters: literal parts, and names of parameters. */
export type TemplateText = readonly (string | { readonly parameter: string })[];

/** A command that is run by the name of its template, with parameters. */
export interface Template {
  readonly command: string;
  readonly args: readonly TemplateText[];
  readonly env: Readonly<Record<string, TemplateText>>;
  readonly cwd: string;
  readonly parameters: ReadonlyMap<string, Parameter>;
}

/** The longest value of a parameter, in UTF-16 code units. */
const MAX_VALUE_CHARS = 1024;

/**
 * Returns the request that a request with a template stands for. A request without a template is returned as it is.
 *
 * @throws {InvalidArgumentError} when the template is unknown, a parameter is missing, unknown or invalid, or the request
 * also has a command, arguments, variables or a directory
 */
export function expandTemplate(templates: ReadonlyMap<string, Template>, request: wire.JobRequest): wire.JobRequest {
  const { template: name } = request;
  if (name === "") {
    if (Object.keys(request.parameters).length === 0) return request;
    throw new InvalidArgumentError("Unexpected parameters: name a template, or give none");
  }
  const template = templates.get(name);
  if (template === undefined) {
    throw new InvalidArgumentError(
      `Unknown template ${quote(name)}: ask the administrator for the names of templates`,
    );
  }
  const { command, args, env, cwd } = request;
  if (command !== "" || args.length > 0 || Object.keys(env).length > 0 || cwd !== "") {
    throw new InvalidArgumentError(
      `Unexpected command, arguments, environment or directory with template ${JSON.stringify(name)}: give parameters`,
    );
  }
  const values = valuesOf(template, request.parameters);
  return {
    ...request,
    command: template.command,
    args: template.args.map((text) => fill(text, values)),
    env: Object.fromEntries(Object.entries(template.env).map(([name, text]) => [name, fill(text, values)])),
    cwd: template.cwd,
  };
}

function valuesOf(template: Template, given: Readonly<Record<string, string>>): Map<string, string> {
  const unknown = Object.keys(given).find((name) => !template.parameters.has(name));
  if (unknown !== undefined) {
    const known = [...template.parameters.keys()].map((name) => JSON.stringify(name)).join(", ") || "none";
    throw new InvalidArgumentError(
      `Unknown parameter ${quote(unknown)}: the template has ${known}`,
    );
  }
  const values = new Map<string, string>();
  for (const [name, { is, byDefault }] of template.parameters) {
    const value = Object.hasOwn(given, name) ? given[name] : byDefault;
    if (value === undefined) throw new InvalidArgumentError(`Missing parameter "${name}": give ${wanted(is)}`);
    if (!isOfKind(is, value)) {
      const shown = quote(value);
      throw new InvalidArgumentError(`Invalid parameter "${name}", ${shown}: give ${wanted(is)}`);
    }
    values.set(name, value);
  }
  return values;
}

/** Returns whether a parameter may have a value. */
export function isOfKind(kind: ParameterKind, value: string): boolean {
  if (value.length > MAX_VALUE_CHARS || value.includes("\0")) return false;
  switch (kind.kind) {
    case "int":
      return /^(0|-?[1-9][0-9]{0,15})$/.test(value) && Number(value) >= kind.min && Number(value) <= kind.max;
    case "enum":
      return kind.values.includes(value);
    case "pattern":
      // The command would take such a value for an option, and the caller could choose any option.
      return !value.startsWith("-") && kind.pattern.matches(value);
  }
}

function wanted(kind: ParameterKind): string {
  switch (kind.kind) {
    case "int":
      return `an integer from ${kind.min} to ${kind.max}`;
    case "enum":
      return `one of ${kind.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "pattern":
      return `text that matches ${kind.pattern.source}, not beginning with "-"`;
  }
}

function fill(text: TemplateText, values: ReadonlyMap<string, string>): string {
  return text.map((part) => typeof part === "string" ? part : values.get(part.parameter) ?? "").join("");
}
