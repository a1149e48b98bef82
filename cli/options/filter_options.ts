/** The options that select jobs, as `list`, `watch` and `rm` take them. */
import type { Command } from "commander";
import type { ListRequest, State } from "../../proto/teleport/v1/job_worker.ts";
import { type Moment, momentFields, momentParser } from "../../units/moment.ts";
import { UsageError } from "../../units/usage_error.ts";
import { addPair } from "./job_options.ts";

/** The parsed options. */
export interface FilterFlags {
  readonly state?: readonly State[];
  readonly owner?: string;
  readonly label?: Record<string, string>;
  readonly command?: string;
  readonly since?: Moment;
  readonly until?: Moment;
}

/** The fields of a request that select jobs. */
export type Filter =
  & Pick<ListRequest, "states" | "owner" | "labels" | "command">
  & Partial<Pick<ListRequest, "registered_since" | "registered_since_age_ms">>
  & Partial<Pick<ListRequest, "registered_until" | "registered_until_age_ms">>;

const STATES = ["INITIAL", "STARTING", "RUNNING", "STOPPING", "EXITED", "KILLED", "FAILED", "LOST"] as const;

/** The four states that never change. */
export const FINAL_STATES: readonly State[] = ["STATE_EXITED", "STATE_KILLED", "STATE_FAILED", "STATE_LOST"];

/** Adds the options to a command. */
export function addFilterOptions(command: Command): Command {
  return addJobFilterOptions(command)
    .option(
      "--since <TIME>",
      "only jobs registered since this time, such as 2026-01-31T12:00:00Z or 10m",
      momentParser("--since"),
    )
    .option("--until <TIME>", "only jobs registered until this time", momentParser("--until"));
}

/** Adds the options that select jobs by themselves and not by time, for a command with other options for times. */
export function addJobFilterOptions(command: Command): Command {
  return command
    .option("--state <STATE>", `only jobs in this state: ${STATES.join(", ")}; repeatable`, addStates)
    .option("--owner <USER>", "only jobs of this user")
    .option(
      "-l, --label <KEY=VALUE>",
      "only jobs with this label; repeatable",
      (text: string, before?: Record<string, string>) => addPair(text, before, { name: "--label", form: "KEY=VALUE" }),
    )
    .option("--command <TEXT>", "only jobs whose command line contains this text");
}

/** Returns the fields of a request for the options. */
export function filterOf(flags: FilterFlags): Filter {
  return {
    states: [...flags.state ?? []],
    owner: flags.owner ?? "",
    labels: flags.label ?? {},
    command: flags.command ?? "",
    ...momentFields("registered_since", flags.since),
    ...momentFields("registered_until", flags.until),
  };
}

/** Returns whether any of the options was given. */
export function isFiltering(flags: FilterFlags): boolean {
  const { state, owner, label, command, since, until } = flags;
  return [state, owner, label, command, since, until].some((flag) => flag !== undefined);
}

/**
 * Adds the states of one `--state`: one state or several with commas between, in upper or lower case.
 *
 * @throws {UsageError} when a state is unknown
 */
function addStates(text: string, before: readonly State[] | undefined): State[] {
  return text.split(",").reduce((states, name) => {
    const known = STATES.find((state) => state === name.toUpperCase());
    if (known === undefined) {
      throw new UsageError(`Unknown state "${name}" for --state: give one of ${STATES.join(", ")}`);
    }
    return [...states, `STATE_${known}` as const];
  }, [...before ?? []]);
}
