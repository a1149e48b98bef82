/** Values by a template of the user, such as `{{id}} {{state}}`: Mustache, which has sections but runs no code. */
import Mustache from "mustache";
import { errorMessage } from "../../base/error_message.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { UsageError } from "../../units/usage_error.ts";
import type { Encode } from "./format.ts";

/** A parsed part of a template: its kind, its name or text, its place, and the parts inside a section. */
type Token = readonly [kind: string, name: string, start: number, end: number, inside?: readonly Token[]];

/** The names that lead from data to the functions of the language. */
const FORBIDDEN = /(?:^|\.)(?:constructor|prototype|__\w+__)(?:\.|$)/;

/**
 * Makes the encoder. Each value is one line.
 *
 * @throws {UsageError} when the template is not valid
 */
export function templateEncoder(template: string): Encode {
  let tokens: readonly Token[];
  try {
    tokens = Mustache.parse(template);
  } catch (error) {
    throw new UsageError(`Invalid template "${template}" for --output: ${errorMessage(error)}`);
  }
  checkTokens(tokens, template);
  return (value) => `${Mustache.render(template, plain(value), undefined, { escape: String })}\n`;
}

function checkTokens(tokens: readonly Token[], template: string): void {
  for (const [kind, name, , , inside] of tokens) {
    if (kind === ">") throw new UsageError(`Invalid template "${template}" for --output: it cannot include "${name}"`);
    if (kind !== "text" && FORBIDDEN.test(name)) {
      throw new UsageError(`Invalid template "${template}" for --output: the data has no field "${name}"`);
    }
    if (Array.isArray(inside)) checkTokens(inside, template);
  }
}

/** Copies data without prototypes, so that a name finds only data. Texts are made safe for a terminal. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return escapeTerminal(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [name, plain(one)]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}
