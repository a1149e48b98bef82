/** The flags of the table of job options in `base/job_options/`. */
import { type Command, Option } from "commander";
import type { AnyMember, AnyOption, NumberFlag } from "../../base/job_options/descriptor.ts";
import { OPTION_ENTRIES } from "../../base/job_options/entries.ts";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import { parseNumber } from "../../units/number.ts";
import { addUlimit } from "../../units/ulimit.ts";
import { UsageError } from "../../units/usage_error.ts";

/** Parsed values of flags by their names in camel case. */
export type Flags = Readonly<Record<string, unknown>>;

/** Adds the flags to a command. */
export function addTableOptions(command: Command): Command {
  for (const [, descriptor] of OPTION_ENTRIES) {
    for (const flagged of flaggedIn(descriptor)) command.addOption(optionOf(flagged));
  }
  return command;
}

/**
 * Returns the fields of a request for the flags that were given.
 *
 * @throws {UsageError} when flags do not go together
 */
export function tableFields(flags: Flags): Sent<JobRequest> {
  const fields: Record<string, unknown> = {};
  for (const [, descriptor] of OPTION_ENTRIES) {
    const value = descriptor.kind === "group" && descriptor.flag === undefined
      ? groupFields(descriptor, flags)
      : flags[optionOf(descriptor).attributeName()];
    if (value !== undefined) fields[descriptor.field] = value;
  }
  return fields;
}

function groupFields({ members, conflict }: Extract<AnyOption, { kind: "group" }>, flags: Flags): object | undefined {
  const fields: Record<string, unknown> = {};
  const values: Record<string, string | number> = {};
  for (const [name, member] of Object.entries<AnyMember>(members)) {
    const value = flags[optionOf(member).attributeName()];
    if (value === undefined) continue;
    fields[member.field] = value;
    values[name] = value as string | number;
  }
  const why = conflict?.(values, (name) => optionOf(members[name]!).long ?? name);
  if (why !== undefined) throw new UsageError(why);
  return Object.keys(fields).length === 0 ? undefined : fields;
}

/** Returns what has a flag: the option, or the members of a group that has none itself. */
function flaggedIn(descriptor: AnyOption): readonly (AnyOption | AnyMember)[] {
  if (descriptor.kind !== "group" || descriptor.flag !== undefined) return [descriptor];
  return Object.values<AnyMember>(descriptor.members);
}

/** Makes the option of Commander. Its parser returns the value of the field. */
function optionOf(descriptor: AnyOption | AnyMember): Option {
  const { flag } = descriptor;
  if (flag === undefined) throw new Error(`The descriptor of "${descriptor.field}" has no flag`);
  const option = new Option(flag.syntax, flag.help);
  const name = option.long ?? flag.syntax;
  switch (descriptor.kind) {
    case "integer":
    case "decimal": {
      const { notation, min, max } = { ...descriptor, ...(flag as NumberFlag) };
      return option.argParser((text) => parseNumber(text, name, { notation, min, max }));
    }
    case "choice":
      return option.argParser((text) => {
        const { noun, prefix, words } = descriptor;
        const value = Object.keys(words).find((value) => words[value] === text);
        if (value !== undefined) return `${prefix}${value}`;
        const known = Object.values(words).map((word) => `"${word}"`).join(" or ");
        throw new UsageError(`Unknown ${noun} "${text}" for ${name}: give ${known}`);
      });
    case "group":
      return option.argParser((text, before: Parameters<typeof addUlimit>[1]) => addUlimit(text, before, name));
    case "text":
    case "switch":
      return option;
  }
}
