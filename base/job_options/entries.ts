/** The table of job options as lists to iterate over. */
import type { AnyMember, AnyOption, LaunchStep } from "./descriptor.ts";
import { JOB_OPTIONS, type JobOptionName, type JobOptionValues, type StatusOptions } from "./table.ts";

/** The options with their descriptors, in the order of the table. */
export const OPTION_ENTRIES = Object.entries(JOB_OPTIONS) as readonly (readonly [JobOptionName, AnyOption])[];

/** The options that a job's status has, in the order of the table. */
export const STATUS_ENTRIES: typeof OPTION_ENTRIES = OPTION_ENTRIES.filter(([, { status }]) => status !== undefined);

const STATUS_NAMES = STATUS_ENTRIES.map(([name]) => name);

/** Returns the options that a job's status has, as far as they were given. */
export function statusOptions(options: JobOptionValues): StatusOptions {
  return pick(options, STATUS_NAMES);
}

/** The options that the launcher's shell applies by a step of the table. */
export type LaunchedOption =
  | "rlimits"
  | { [Name in JobOptionName]: (typeof JOB_OPTIONS)[Name] extends { launch: object } ? Name : never }[JobOptionName];

/** The options that the launcher's shell applies by a step of the table, as far as they were given. */
export type LaunchedOptions = Pick<JobOptionValues, LaunchedOption>;

/** Returns the options that the launcher's shell applies by a step of the table, as far as they were given. */
export function launchedOptions(options: JobOptionValues): LaunchedOptions {
  return pick(options, LAUNCHED_NAMES);
}

/** Returns the named options, as far as they were given. */
function pick(options: JobOptionValues, names: readonly JobOptionName[]): JobOptionValues {
  const selected: Record<string, unknown> = {};
  for (const name of names) {
    if (options[name] !== undefined) selected[name] = options[name];
  }
  return selected;
}

/** A step of the launcher's shell, and where its value is. */
export interface NamedStep extends LaunchStep {
  /** The name of the option, or of the member of a group. */
  readonly name: string;
  readonly valueIn: (options: LaunchedOptions) => number | undefined;
}

const LAUNCHED_NAMES = OPTION_ENTRIES.filter(([, descriptor]) =>
  descriptor.kind === "group"
    ? Object.values<AnyMember>(descriptor.members).some((member) => "launch" in member)
    : "launch" in descriptor
).map(([name]) => name);

/** The steps of the launcher's shell, in their order. */
export const LAUNCH_STEPS: readonly NamedStep[] = OPTION_ENTRIES.flatMap(([option, descriptor]) => {
  if (descriptor.kind !== "group") {
    return namedStep(option, descriptor, (options: JobOptionValues) => options[option] as number | undefined);
  }
  return Object.entries<AnyMember>(descriptor.members).flatMap(([member, inner]) =>
    namedStep(member, inner, (options: JobOptionValues) => {
      const values = options[option] as Readonly<Record<string, number>> | undefined;
      return values?.[member];
    })
  );
});

function namedStep(name: string, descriptor: AnyOption | AnyMember, valueIn: NamedStep["valueIn"]): NamedStep[] {
  const launch = "launch" in descriptor ? descriptor.launch : undefined;
  return launch === undefined ? [] : [{ ...launch, name, valueIn }];
}
