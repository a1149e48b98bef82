/**
 * The descriptors of job options. A descriptor holds everything that differs between two options, as plain data and pure
 * functions. Each layer derives its own part. The command line derives flags and status lines, the service conversions
 * and policy kinds, and the library checks and launch steps.
 */

/**
 * How a policy treats an option.
 *
 * - `judged`: a separate check decides, in `service/policy/`
 * - `harmless`: describes or limits a job; every rule allows it
 * - `guarded`: changes what a permitted command does; a rule that is limited to commands or templates must name it
 * - `privileged`: gives a job more than the server's own user has; every rule must name it
 */
export type PolicyKind = "judged" | "harmless" | "guarded" | "privileged";

/**
 * The way in which people write a number, and in which it is printed for them. `units/number.ts` reads and writes it.
 *
 * - `count`: decimal digits
 * - `octal`: octal digits, such as 022
 * - `decimal`: a number with a fraction, such as 1.5
 * - `duration`: such as 1h30m; the value is in milliseconds
 * - `seconds`: digits, or a duration; the value is in seconds
 * - `size`: such as 100MB; the value is in bytes
 */
export type Notation = "count" | "octal" | "decimal" | "duration" | "seconds" | "size";

/** The option of `teleport run` and `teleport register`. */
export interface Flag {
  /** As Commander declares it, such as `--umask <MODE>`. */
  readonly syntax: string;
  readonly help: string;
}

/** The flag of a number. */
export interface NumberFlag extends Flag {
  /** The least value that the flag takes. Default: that of the option. */
  readonly min?: number;
  /** The greatest value that the flag takes. Default: that of the option. */
  readonly max?: number;
}

/** The option in a job's status. */
export interface StatusEntry {
  /** The name of its line in `teleport status`. Absent: the command prints it by its own code. */
  readonly label?: string;
}

/** A step of the launcher's shell for an option, before the program runs. */
export interface LaunchStep {
  /** `first` is before the job is isolated and changes its user, `last` is after the isolation. */
  readonly stage: "first" | "last";
  /** The shell commands. `$1` is the argument. */
  readonly script: string;
  /** The argument for a value. */
  readonly argument: (value: number) => string;
  /** The reason in the job's error when the step fails. */
  readonly failure: string;
}

/** The server's own process, on which a refusal may depend. */
export interface ServerProcess {
  readonly uid: number;
  /** The effective capabilities, a bit each; capabilities(7). */
  readonly capabilities: bigint;
  /** The OOM score adjustment, from -1000 to 1000; proc_pid_oom_score_adj(5). */
  readonly oomScoreAdj: number;
}

/** The properties of every option. */
interface Option {
  /** The name of the field in `JobRequest`, and in `JobStatus` where that has it. */
  readonly field: string;
  /** The noun for error texts, such as `"grace period"`. */
  readonly noun: string;
}

/** The properties of an option that is a field of the request itself. */
interface TopLevel {
  readonly policy: PolicyKind;
  /** Absent: the status does not have the option. */
  readonly status?: StatusEntry;
}

/** The properties of a number. */
interface NumberFacts extends Option {
  readonly kind: "integer" | "decimal";
  readonly notation: Notation;
  readonly min: number;
  readonly max: number;
  /** The unit for error texts. Absent for counts. */
  readonly unit?: string;
  readonly launch?: LaunchStep;
}

/** An option that is a number. */
export interface NumberOption extends NumberFacts, TopLevel {
  readonly flag: NumberFlag;
  /**
   * The value of the field when the option was not given: `unset` for an `optional` field, else `zero`. `never` stands for
   * a field whose zero is a value.
   */
  readonly absent: "unset" | "zero" | "never";
  /** Returns why this server cannot do it, as `Cannot …: <reason>`. Undefined: it can. */
  readonly refusal?: (value: number, server: ServerProcess) => string | undefined;
}

/** The properties of a text. The empty text stands for absence on the wire. */
interface TextFacts extends Option {
  readonly kind: "text";
  /** The pattern for the whole text. */
  readonly pattern: RegExp;
  /** The pattern in words, such as `an absolute path`. */
  readonly must: string;
  readonly flag: Flag;
}

/** An option that is a text. */
export interface TextOption extends TextFacts, TopLevel {}

/** An option that is on or off. Off and absent are the same. */
export interface SwitchOption extends Option, TopLevel {
  readonly kind: "switch";
  readonly flag: Flag;
}

/** An option that is one of some names. The zero of the enumeration stands for absence on the wire. */
export interface ChoiceOption<Value extends string = string> extends Option, TopLevel {
  readonly kind: "choice";
  /** The beginning of the enumeration's names on the wire, such as `ISOLATION_`. */
  readonly prefix: string;
  /** The values, each with its word for people. */
  readonly words: { readonly [V in Value]: string };
  readonly flag: Flag;
}

/** A member of a group that is a number. Its field is `optional`. */
export interface NumberMember extends NumberFacts {
  /** The flag of its own. Absent where the group has one flag. */
  readonly flag?: NumberFlag;
  /** Its name in the flag of the group, such as `nofile`. */
  readonly word?: string;
  /** Describes the value in the line of the group. */
  readonly text: (value: number) => string;
}

/** A member of a group that is a text. */
export interface TextMember extends TextFacts {
  /** Describes the value in the line of the group. */
  readonly text: (value: string) => string;
}

/** The members of a group. */
export type Members<Values extends object> = {
  readonly [Name in keyof Values]-?: NonNullable<Values[Name]> extends number ? NumberMember : TextMember;
};

/** An option that is a message of its own. */
export interface GroupOption<Values extends object = Readonly<Record<string, number | string>>>
  extends Option, TopLevel {
  readonly kind: "group";
  readonly members: Members<Values>;
  /** The flag that adds one member as NAME=VALUE. Absent: each member has a flag of its own. */
  readonly flag?: Flag;
  /** The separator of the members in a line of text. */
  readonly separator: string;
  /**
   * Returns why the members do not go together. Undefined: they do.
   *
   * @param nameOf returns the name of a member as the caller knows it: a flag or a noun
   */
  readonly conflict?: (values: Values, nameOf: (member: keyof Values) => string) => string | undefined;
}

/** The descriptor that a value of some type has. */
export type OptionFor<Value> = [Value] extends [number] ? NumberOption
  : [Value] extends [boolean] ? SwitchOption
  : [Value] extends [string] ? string extends Value ? TextOption : ChoiceOption<Value>
  : [Value] extends [object] ? GroupOption<Value>
  : never;

/** A descriptor of any kind. */
export type AnyOption = NumberOption | TextOption | SwitchOption | ChoiceOption | GroupOption;

/** A member of any group. */
export type AnyMember = NumberMember | TextMember;
