/** Which jobs are meant: by what they are and where they stand. The store has the same rules as SQL. */
import { InvalidArgumentError } from "../errors.ts";
import { checkLabels, type JobSpec } from "./spec.ts";
import type { State } from "../process/state.ts";

/** So much of a command line is looked at by `command`; the rest is arguments that nobody searches by. */
const MAX_LINE_CHARS = 1_000;

/** One call's worth: more are asked for by a label. */
const MAX_IDS = 1_000;

/** Which jobs are meant. What is absent or empty means any; all that is given must hold. */
export interface JobFilter {
  /** One of these. */
  readonly ids?: readonly string[];
  /** In one of these states. */
  readonly states?: readonly State[];
  /** Of this user. */
  readonly owner?: string;
  /** With all of these labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** With this text in the first 1,000 characters of command and arguments, which a space joins. */
  readonly command?: string;
  /** Registered at this time or later. */
  readonly registeredSince?: Date;
  /** Registered at this time or before. */
  readonly registeredUntil?: Date;
}

/** What of a job a filter looks at besides its state: what never changes. */
export interface FilteredJob {
  readonly id: string;
  readonly owner?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** As {@linkcode lineOf} has it. */
  readonly line: string;
  readonly registeredAt: Date;
}

/** The command line as it is searched. */
export function lineOf({ command, args }: Pick<JobSpec, "command" | "args">): string {
  let line = command;
  for (const arg of args) {
    if (line.length >= MAX_LINE_CHARS) break;
    line += ` ${arg}`;
  }
  return line.slice(0, MAX_LINE_CHARS);
}

/** Whether the filter means the job, whatever its state. */
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

/** Whether the filter means a job in this state. */
export function matchesState({ states }: JobFilter, state: State): boolean {
  return states === undefined || states.length === 0 || states.includes(state);
}

/** @throws {InvalidArgumentError} when something in the filter is too much, too long or no time */
export function checkFilter(filter: JobFilter): void {
  const { ids, labels, command } = filter;
  if (ids !== undefined && ids.length > MAX_IDS) {
    throw new InvalidArgumentError(`Too many ids "${ids.length}": give at most ${MAX_IDS}, or a label`);
  }
  if (labels !== undefined) checkLabels(labels);
  if (command !== undefined && command.length > MAX_LINE_CHARS) {
    throw new InvalidArgumentError(
      `Invalid command of "${command.length}" characters: give a part of a command line, at most ${MAX_LINE_CHARS}`,
    );
  }
  checkTimes([filter.registeredSince, filter.registeredUntil]);
}

/** @throws {InvalidArgumentError} when one of them is no moment */
export function checkTimes(times: readonly (Date | undefined)[]): void {
  for (const time of times) {
    if (time !== undefined && Number.isNaN(time.getTime())) {
      throw new InvalidArgumentError(`Invalid time "${time}": give a moment`);
    }
  }
}
