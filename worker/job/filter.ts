/** Filters of jobs by their properties and states. The store has the same rules in SQL. */
import { InvalidArgumentError } from "../errors.ts";
import { checkLabels, type JobSpec } from "./spec.ts";
import type { State } from "../process/state.ts";

/** The part of a command line that `command` searches. Nobody searches by later arguments. */
const MAX_LINE_CHARS = 1_000;

/** Enough ids for one call. A label selects more jobs. */
const MAX_IDS = 1_000;

/** A filter of jobs. A job must match every property that is given and not empty. */
export interface JobFilter {
  /** The ids, of which the job has one. */
  readonly ids?: readonly string[];
  /** The states, of which the job has one. */
  readonly states?: readonly State[];
  /** The owner. */
  readonly owner?: string;
  /** The labels, all of which the job has. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A part of the command line: the first 1,000 characters of command and arguments, joined by spaces. */
  readonly command?: string;
  /** The earliest time of registration. */
  readonly registeredSince?: Date;
  /** The latest time of registration. */
  readonly registeredUntil?: Date;
}

/** The properties of a job that a filter checks, without its state. They never change. */
export interface FilteredJob {
  readonly id: string;
  readonly owner?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** The command line, as {@linkcode lineOf} returns it. */
  readonly line: string;
  readonly registeredAt: Date;
}

/** Returns the part of the command line that a filter searches. */
export function lineOf({ command, args }: Pick<JobSpec, "command" | "args">): string {
  let line = command;
  for (const arg of args) {
    if (line.length >= MAX_LINE_CHARS) break;
    line += ` ${arg}`;
  }
  return line.slice(0, MAX_LINE_CHARS);
}

/** Returns true if a job matches a filter, whatever its state. */
export function matches(filter: JobFilter, job: FilteredJob): boolean {
  const { ids, owner, labels, command, registeredSince, registeredUntil } = filter;
  if (ids !== undefined && ids.length > 0 && !ids.includes(job.id)) return false;
  if (owner !== undefined && job.owner !== owner) return false;
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (!Object.hasOwn(job.labels, key) || job.labels[key] !== value) return false;
  }
  if (command !== undefined && !job.line.includes(command)) return false;
  if (registeredSince !== undefined && job.registeredAt < registeredSince) return false;
  return registeredUntil === undefined || job.registeredAt <= registeredUntil;
}

/** Returns true if a state matches a filter. */
export function matchesState({ states }: JobFilter, state: State): boolean {
  return states === undefined || states.length === 0 || states.includes(state);
}

/**
 * Checks a filter.
 *
 * @throws {InvalidArgumentError} when it has too many ids, an invalid label or time, or a text that is too long
 */
export function checkFilter(filter: JobFilter): void {
  const { ids, labels, command } = filter;
  if (ids !== undefined && ids.length > MAX_IDS) {
    throw new InvalidArgumentError(`A filter must have at most ${MAX_IDS} ids, got ${ids.length}: filter by a label`);
  }
  if (labels !== undefined) checkLabels(labels);
  if (command !== undefined && command.length > MAX_LINE_CHARS) {
    throw new InvalidArgumentError(
      `'command' must have at most ${MAX_LINE_CHARS} characters, got ${command.length}: give a part of a command line`,
    );
  }
  checkTimes([filter.registeredSince, filter.registeredUntil]);
}

/**
 * Checks times.
 *
 * @throws {InvalidArgumentError} when one of them is an invalid `Date`
 */
export function checkTimes(times: readonly (Date | undefined)[]): void {
  for (const time of times) {
    if (time !== undefined && Number.isNaN(time.getTime())) {
      throw new InvalidArgumentError("A time must be a valid Date, got an invalid one");
    }
  }
}
