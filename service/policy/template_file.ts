/** Reads the templates of a policy file. */
import { JsonFormError, readFields, readObject, readString, readStrings } from "../../text/strict_json.ts";
import { isOfKind, type Parameter, type ParameterKind, type Template, type TemplateText } from "./template.ts";
import { readAbsolutePath, readPattern } from "./values.ts";

/**
 * Reads a template.
 *
 * @param at the path of the template in the file, for errors
 * @throws {JsonFormError} when the template is not valid
 */
export function readTemplate(value: unknown, at: string): Template {
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
    ) => [name, readParameter(one, `${at}.parameters.${name}`)]),
  );
  const env = given.env === undefined ? {} : readObject(given.env, `${at}.env`);
  return {
    command: readAbsolutePath(given.command, `${at}.command`),
    args: (given.args === undefined ? [] : readStrings(given.args, `${at}.args`)).map((word, index) =>
      parseTemplateText(word, `${at}.args[${index}]`, parameters)
    ),
    env: Object.fromEntries(
      Object.entries(env).map((
        [name, one],
      ) => [name, parseTemplateText(readString(one, `${at}.env.${name}`), `${at}.env.${name}`, parameters)]),
    ),
    cwd: given.cwd === undefined ? "" : readAbsolutePath(given.cwd, `${at}.cwd`),
    parameters,
  };
}

function readParameter(value: unknown, at: string): Parameter {
  const given = readFields(value, at, { int: false, enum: false, pattern: false, default: false, comment: false });
  const kinds: ParameterKind[] = [];
  if (given.int !== undefined) {
    const { min, max } = readFields(given.int, `${at}.int`, { min: true, max: true });
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
      throw new JsonFormError(`${at}.int`, "give integers");
    }
    kinds.push({ kind: "int", min: Number(min), max: Number(max) });
  }
  if (given.enum !== undefined) kinds.push({ kind: "enum", values: readStrings(given.enum, `${at}.enum`) });
  if (given.pattern !== undefined) {
    kinds.push({ kind: "pattern", pattern: readPattern(readString(given.pattern, `${at}.pattern`), `${at}.pattern`) });
  }
  const [is, ...more] = kinds;
  if (is === undefined || more.length > 0) throw new JsonFormError(at, 'give one of "int", "enum" and "pattern"');
  if (given.default === undefined) return { is };
  const byDefault = readString(given.default, `${at}.default`);
  if (!isOfKind(is, byDefault)) {
    throw new JsonFormError(`${at}.default`, "it is not a value of the parameter's own kind");
  }
  return { is, byDefault };
}

/** Parses a text in which `{name}` stands for a parameter, and `{{` and `}}` for braces. */
function parseTemplateText(word: string, at: string, parameters: ReadonlyMap<string, Parameter>): TemplateText {
  const parts: (string | { parameter: string })[] = [];
  for (const [token] of word.matchAll(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (token === "{{" || token === "}}") parts.push(token.charAt(0));
    else if (token === "{" || token === "}") {
      throw new JsonFormError(at, `it has a single brace: write "${token}${token}" for one`);
    } else if (token.startsWith("{")) {
      const name = token.slice(1, -1);
      if (!parameters.has(name)) throw new JsonFormError(at, `there is no parameter ${JSON.stringify(name)}`);
      parts.push({ parameter: name });
    } else parts.push(token);
  }
  return parts;
}
