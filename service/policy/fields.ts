/** The policy kind of each field of a request to register. A new field cannot become a way around a limited role. */
import type { AnyOption, PolicyKind } from "../../base/job_options/descriptor.ts";
import { OPTION_ENTRIES } from "../../base/job_options/entries.ts";
import type { JOB_OPTIONS } from "../../base/job_options/table.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";

/**
 * The kind of a field, see {@linkcode PolicyKind}. With `if present` only the absence of the field counts as not given,
 * because its zero is a value.
 */
export type FieldKind = PolicyKind | "guarded if present" | "privileged if present";

type Table = typeof JOB_OPTIONS;

/** The fields that are not options of the table. If `JobRequest` has another one, this does not compile. */
const OTHER_KINDS: { readonly [Name in Exclude<keyof wire.JobRequest, Table[keyof Table]["field"]>]: FieldKind } = {
  command: "judged",
  args: "judged",
  env: "judged",
  cwd: "judged",
  labels: "harmless",
  max_output_bytes: "harmless",
  output_policy: "harmless",
  request_id: "harmless",
  like: "judged",
  rerun: "judged",
  // The input of an interpreter is a program.
  terminal: "guarded if present",
  template: "judged",
  parameters: "judged",
};

/** The kind of each field of a request. */
export const FIELD_KINDS: Readonly<Record<string, FieldKind>> = {
  ...OTHER_KINDS,
  ...Object.fromEntries(OPTION_ENTRIES.map(([, descriptor]) => [descriptor.field, kindOf(descriptor)])),
};

function kindOf(descriptor: AnyOption): FieldKind {
  const { policy } = descriptor;
  const canBeAbsent = descriptor.kind === "group" || ("absent" in descriptor && descriptor.absent === "unset");
  return canBeAbsent && (policy === "guarded" || policy === "privileged") ? `${policy} if present` : policy;
}

/** Returns the fields that a rule can name in `options`. */
export function optionNames(kinds: Readonly<Record<string, FieldKind>> = FIELD_KINDS): string[] {
  return Object.keys(kinds).filter((name) => /^(guarded|privileged)/.test(kinds[name] ?? ""));
}

/**
 * Returns the fields of a request that a rule must name in `options`.
 *
 * @param limited whether the rule is limited to commands or templates
 */
export function askedOptions(
  request: object,
  limited: boolean,
  kinds: Readonly<Record<string, FieldKind>> = FIELD_KINDS,
): string[] {
  return Object.entries(request).filter(([name, value]) => {
    // An unknown field counts as the most dangerous kind.
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : "privileged";
    if (kind === undefined || kind === "judged" || kind === "harmless") return false;
    if (kind.startsWith("guarded") && !limited) return false;
    return kind.endsWith("if present") ? value !== undefined && value !== null : !isDefault(value);
  }).map(([name]) => name);
}

/** Returns whether a value is that of a field that was not sent. */
export function isDefault(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (typeof value === "string") return value.endsWith("_UNSPECIFIED");
  return typeof value === "object" && Object.keys(value).length === 0;
}
