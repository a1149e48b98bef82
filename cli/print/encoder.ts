/** Encoders of data for programs. The libraries of YAML and of templates load only with their format: start-up time counts. */
import { jsonLine } from "../../text/unprintable.ts";
import { UsageError } from "../../units/usage_error.ts";
import type { Encode, Format } from "./format.ts";

/**
 * Returns the encoder of a format. Undefined for a format for people.
 *
 * @throws {UsageError} when the template is not valid
 */
export async function loadEncoder({ kind, template = "" }: Format): Promise<Encode | undefined> {
  switch (kind) {
    case "text":
    case "wide":
      return undefined;
    case "json":
      return (value) => `${jsonLine(value)}\n`;
    case "name":
      return (value) => `${nameOf(value)}\n`;
    case "yaml":
      return (await import("./yaml.ts")).yamlEncoder();
    case "template":
      return (await import("./template.ts")).templateEncoder(template);
  }
}

/** The fields that name a value, the best first: a job's name or id, then a user. */
const NAME_FIELDS = ["name", "id", "user"];

function nameOf(value: unknown): string {
  const fields = (value as { readonly job?: unknown }).job ?? value;
  const entries = new Map(Object.entries(fields as object));
  for (const field of NAME_FIELDS) {
    const name = entries.get(field);
    // The encoding of a string escapes what could control a terminal.
    if (typeof name === "string" && name !== "") return jsonLine(name).slice(1, -1);
  }
  throw new UsageError('The format "name" needs jobs: give "text", "json" or "yaml" with this command');
}
