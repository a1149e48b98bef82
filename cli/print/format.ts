/** The formats of `--output`. */
import { UsageError } from "../../units/usage_error.ts";

/** The formats. In `text` and `wide` each command has a form for people; the others encode the value of `json`. */
export type FormatKind = "text" | "wide" | "json" | "yaml" | "name" | "template";

/** A parsed `--output`. */
export interface Format {
  readonly kind: FormatKind;
  /** The text of the template. Present only for that kind. */
  readonly template?: string;
}

/** Encodes the values of one command. Its results are written one after the other. */
export type Encode = (value: unknown) => string;

const KINDS = ["text", "wide", "json", "yaml", "name"] as const;

/** The longest template, in characters. */
const MAX_TEMPLATE = 100_000;

/**
 * Parses the value of `--output`.
 *
 * @throws {UsageError} when the format is unknown
 */
export function parseFormat(text: string): Format {
  const kind = KINDS.find((kind) => kind === text);
  if (kind !== undefined) return { kind };
  if (text.startsWith("template=")) {
    const template = text.slice("template=".length);
    if (template === "") throw new UsageError('The template is empty: give one such as "template={{id}} {{state}}"');
    if (template.length > MAX_TEMPLATE) throw new UsageError(`The template is longer than ${MAX_TEMPLATE} characters`);
    return { kind: "template", template };
  }
  const known = KINDS.map((kind) => `"${kind}"`).join(", ");
  throw new UsageError(`Unknown format "${text}" for --output: give ${known} or "template=TEXT"`);
}
