/** A job's options in its status, in words and as JSON. Both derive from the table in `base/job_options/`. */
import type { AnyMember, AnyOption } from "../../base/job_options/descriptor.ts";
import { STATUS_ENTRIES } from "../../base/job_options/entries.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { formatNumber } from "../../units/number.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Returns the lines of a status about the options that have a label. A text is empty where the option was not given. */
export function optionRows(status: JobStatus): [string, string][] {
  return STATUS_ENTRIES.flatMap(([, descriptor]): [string, string][] => {
    const label = descriptor.status?.label;
    return label === undefined ? [] : [[label, optionText(descriptor, fieldOf(status, descriptor))]];
  });
}

/** Returns the options in a status as JSON. Values that stand for absence become undefined. */
export function optionsJson(status: JobStatus): Record<string, unknown> {
  return Object.fromEntries(STATUS_ENTRIES.map(([, descriptor]) => {
    const value = fieldOf(status, descriptor);
    return [descriptor.field, optionJson(descriptor, value)];
  }));
}

function fieldOf(status: JobStatus, { field }: AnyOption): unknown {
  return (status as unknown as Fields)[field];
}

function optionText(descriptor: AnyOption, value: unknown): string {
  if (value === undefined || value === null || value === "") return "";
  switch (descriptor.kind) {
    case "integer":
    case "decimal":
      return descriptor.absent === "zero" && value === 0 ? "" : formatNumber(Number(value), descriptor.notation);
    case "text":
      return escapeTerminal(`${value}`);
    case "switch":
      return value === true ? "yes" : "";
    case "choice": {
      const name = choiceName(descriptor, value);
      return name === undefined ? "" : descriptor.words[name] ?? escapeTerminal(name);
    }
    case "group":
      return Object.values<AnyMember>(descriptor.members).toSorted(byWord)
        .map((member) => memberText(member, (value as Fields)[member.field]))
        .filter((text) => text !== "").join(descriptor.separator);
  }
}

/** Members without a word stay in the order of the table. */
function byWord(a: AnyMember, b: AnyMember): number {
  if (a.kind === "text" || b.kind === "text" || a.word === undefined || b.word === undefined) return 0;
  return a.word < b.word ? -1 : 1;
}

function memberText(member: AnyMember, value: unknown): string {
  if (member.kind === "text") return value === "" || value === undefined ? "" : escapeTerminal(member.text(`${value}`));
  return value === undefined ? "" : member.text(Number(value));
}

function optionJson(descriptor: AnyOption, value: unknown): unknown {
  switch (descriptor.kind) {
    case "choice":
      return choiceName(descriptor, value);
    case "group":
      if (value === null || value === undefined) return undefined;
      return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== ""));
    case "switch":
      return value === true ? true : undefined;
    default:
      return value;
  }
}

/** Returns the name of a choice without its prefix, such as `STRICT`. A value of a later definition is a number. */
function choiceName({ prefix }: Extract<AnyOption, { kind: "choice" }>, value: unknown): string | undefined {
  const name = `${value}`.startsWith(prefix) ? `${value}`.slice(prefix.length) : `${value}`;
  return name === "UNSPECIFIED" ? undefined : name;
}
