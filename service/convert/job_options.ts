/** The options of a job as fields of the wire, and back. Both derive from the table in `base/job_options/`. */
import type { JobOptions, OutputLimit, OutputPolicy, StatusOptions } from "../../mod.ts";
import { defined } from "../../base/defined.ts";
import type { AnyMember, AnyOption, Members } from "../../base/job_options/descriptor.ts";
import { OPTION_ENTRIES, STATUS_ENTRIES } from "../../base/job_options/entries.ts";
import type { JOB_OPTIONS, JobOptionValues } from "../../base/job_options/table.ts";
import type { Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { knownValue } from "./known_value.ts";

type Table = typeof JOB_OPTIONS;

/** The fields that descriptors stand for: those that are always there, and those that may be absent. */
type FieldsOf<Descriptors> =
  & {
    [Name in keyof Descriptors as Descriptors[Name] extends Unset ? never : FieldName<Descriptors[Name]>]: FieldType<
      Descriptors[Name]
    >;
  }
  & {
    [Name in keyof Descriptors as Descriptors[Name] extends Unset ? FieldName<Descriptors[Name]> : never]?: FieldType<
      Descriptors[Name]
    >;
  };

/** A descriptor whose field is `optional`: it says so, or it is a number in a group. */
type Unset = { readonly absent: "unset" } | { readonly kind: "integer" | "decimal"; readonly text: unknown };
type FieldName<Descriptor> = Descriptor extends { readonly field: infer Name extends string } ? Name : never;
type FieldType<Descriptor> = Descriptor extends { readonly kind: "group"; readonly members: infer Members }
  ? FieldsOf<Members> | null
  : Descriptor extends
    { readonly kind: "choice"; readonly prefix: infer Prefix extends string; readonly words: infer W }
    ? `${Prefix}${keyof W & string | "UNSPECIFIED"}`
  : Descriptor extends { readonly kind: "switch" } ? boolean
  : Descriptor extends { readonly kind: "text" } ? string
  : number;

/** The fields of a request that the table describes. */
export type OptionFields = FieldsOf<Table>;

/** The fields of a status that the table describes. */
type StatusFields = FieldsOf<
  { [Name in keyof Table as Table[Name] extends { status: object } ? Name : never]: Table[Name] }
>;

/** The names of all members of messages, such as `rlimits.open_files`. */
type MemberNames<Fields> = {
  [Name in keyof Fields & string]-?: `${Name}.${keyof NonNullable<Fields[Name]> & string}`;
}[keyof Fields & string];
type Same<A, B> = [A, B] extends [B, A] ? true : never;

// Does not compile when a field of the table is not in the definition of the service, or is of another type.
true satisfies Same<OptionFields, Pick<wire.JobRequest, keyof OptionFields>>;
true satisfies Same<StatusFields, Pick<wire.JobStatus, keyof StatusFields>>;
// Messages are assignable to each other when optional fields have other names.
true satisfies Same<MemberNames<OptionFields>, MemberNames<Pick<wire.JobRequest, keyof OptionFields>>>;

/**
 * Returns the options that a request asks for.
 *
 * @param owner the user who registers the job
 * @throws {InvalidArgumentError} when the request has a value that this server does not know
 */
export function jobOptionsOf(request: wire.JobRequest, owner: string): JobOptions {
  const { env, labels, cwd, request_id, terminal } = request;
  return {
    env,
    labels,
    owner,
    ...defined({ outputLimit: outputLimitOf(request) }),
    ...(terminal === null ? {} : { terminal }),
    ...(cwd === "" ? {} : { cwd }),
    ...(request_id === "" ? {} : { requestId: request_id }),
    ...tableOptionsOf(request),
  };
}

/** Returns the fields of a request that hold the options of a job, for a request to register the same again. */
export function requestFields(options: JobOptions): Partial<wire.JobRequest> {
  const fields: Record<string, unknown> = {};
  for (const [name, descriptor] of OPTION_ENTRIES) {
    const value = options[name];
    if (value !== undefined) fields[descriptor.field] = fieldOf(descriptor, value);
  }
  const { env = {}, labels = {}, cwd = "", outputLimit, terminal = null } = options;
  return {
    ...fields,
    env: { ...env },
    labels: { ...labels },
    cwd,
    terminal,
    ...(outputLimit && {
      max_output_bytes: outputLimit.maxBytes,
      output_policy: `OUTPUT_POLICY_${outputLimit.policy}`,
    }),
  };
}

/** Returns the output limit that a request asks for; undefined: the server's own. */
export function outputLimitOf({ max_output_bytes: maxBytes, output_policy }: wire.JobRequest): OutputLimit | undefined {
  const policy = knownValue("output policy", output_policy);
  if (maxBytes === 0) return undefined;
  if (policy === "OUTPUT_POLICY_UNSPECIFIED") return { maxBytes, policy: "STOP" };
  return { maxBytes, policy: policy.slice("OUTPUT_POLICY_".length) as OutputPolicy };
}

/** Returns the options of the table that a request asks for. */
function tableOptionsOf(request: OptionFields): JobOptionValues {
  const options: Record<string, unknown> = {};
  for (const [name, descriptor] of OPTION_ENTRIES) {
    const value = valueOf(descriptor, request[descriptor.field as keyof OptionFields]);
    if (value !== undefined) options[name] = value;
  }
  return options;
}

/** Returns the value that a field stands for; undefined when the option was not given. */
function valueOf(descriptor: AnyOption | AnyMember, field: unknown): unknown {
  switch (descriptor.kind) {
    case "integer":
    case "decimal":
      return "absent" in descriptor && descriptor.absent === "zero" && field === 0 ? undefined : field;
    case "text":
      return field === "" ? undefined : field;
    case "switch":
      return field === true ? true : undefined;
    case "choice": {
      const { noun, prefix } = descriptor;
      const value = knownValue(noun, field as string);
      return value === `${prefix}UNSPECIFIED` ? undefined : value.slice(prefix.length);
    }
    case "group":
      return field === null || field === undefined ? undefined : groupValuesOf(descriptor.members, field);
  }
}

/** Returns the values of a group, such as the limits of a cgroup. */
export function groupValuesOf<Values extends object>(members: Members<Values>, fields: object): Values {
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries<AnyMember>(members)) {
    const value = valueOf(member, (fields as Record<string, unknown>)[member.field]);
    if (value !== undefined) values[name] = value;
  }
  return values as Values;
}

/** Returns the fields of a status that hold the job's options. */
export function statusFields(options: StatusOptions): Sent<StatusFields> {
  const fields: Record<string, unknown> = {};
  for (const [name, descriptor] of STATUS_ENTRIES) {
    const value = options[name as keyof StatusOptions];
    if (value !== undefined) fields[descriptor.field] = fieldOf(descriptor, value);
  }
  return fields;
}

/** Returns the field that stands for a value. */
function fieldOf(descriptor: AnyOption | AnyMember, value: unknown): unknown {
  if (descriptor.kind === "choice") return `${descriptor.prefix}${value}`;
  if (descriptor.kind !== "group") return value;
  const fields: Record<string, unknown> = {};
  for (const [name, member] of Object.entries<AnyMember>(descriptor.members)) {
    const inner = (value as Record<string, unknown>)[name];
    if (inner !== undefined) fields[member.field] = fieldOf(member, inner);
  }
  return fields;
}
