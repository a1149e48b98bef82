/** The candidates for the last word of an unfinished command line. */
import type { AnyMember, AnyOption } from "../../base/job_options/descriptor.ts";
import { OPTION_ENTRIES } from "../../base/job_options/entries.ts";
import { ID_PREFIX_PATTERN } from "../../base/job_options/name.ts";
import { signalName } from "../../base/signals.ts";
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { JobStatus, ListRequest } from "../../proto/teleport/v1/job_worker.ts";
import { formatCommand } from "../../text/escape_terminal.ts";
import type { Line, Place } from "./place.ts";

/** A word, and a note for the shells that show one. */
export type Candidate = readonly [word: string, note: string];

/** The candidates, or the kind of files that the shell itself completes. */
export type Candidates = readonly Candidate[] | "files" | "directories";

/** The sources of candidates that are not in the program. */
export interface Sources {
  /** Calls the server. */
  readonly calls: () => Promise<Pick<JobWorkerClient, "List">>;
  readonly contexts: () => Promise<readonly string[]>;
  readonly identities: () => Promise<readonly string[]>;
}

/** The jobs to choose from: the newest ones. */
const MAX_JOBS = 100;

const MAX_NOTE_CHARACTERS = 60;

/** The commands that need a job which has not ended. */
const FOR_UNENDED = ["attach", "input", "kill", "pause", "resume", "signal", "stop"];
const UNENDED = ["STATE_INITIAL", "STATE_STARTING", "STATE_RUNNING", "STATE_STOPPING"] as const;

/** The words of values that are always the same. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  "--engine": ["local", "slurm"],
  "--output": ["text", "json", "yaml", "wide", "name", "template="],
  "--output-policy": ["stop", "keep-newest", "block"],
  "--state": ["INITIAL", "STARTING", "RUNNING", "STOPPING", "EXITED", "KILLED", "FAILED", "LOST"],
  "SHELL": ["bash", "zsh", "fish"],
};

/** Returns the candidates that begin with the last word. */
export async function candidatesFor({ place, current, before }: Line, sources: Sources): Promise<Candidates> {
  const found = await allCandidates(place, current, sources);
  if (typeof found === "string") return found;
  return found.filter(([word]) => word.startsWith(current)).map(([word, note]) => [before + word, note]);
}

async function allCandidates(place: Place, current: string, sources: Sources): Promise<Candidates> {
  switch (place.kind) {
    case "nothing":
      return [];
    case "commands": {
      const commands = place.command.createHelp().visibleCommands(place.command);
      return commands.flatMap((command) =>
        [command.name(), ...command.aliases()].map((name): Candidate => [name, command.description()])
      );
    }
    case "options":
      return place.commands.flatMap((command) =>
        command.createHelp().visibleOptions(command).flatMap(({ long, description }): Candidate[] =>
          long === undefined || long === null ? [] : [[long, description]]
        )
      ).filter(([word], at, all) => all.findIndex(([other]) => other === word) === at);
    case "value":
      return await valuesOf(place, current, sources);
  }
}

async function valuesOf(
  { value, command, option }: Extract<Place, { kind: "value" }>,
  current: string,
  { calls, contexts, identities }: Sources,
): Promise<Candidates> {
  const long = option?.long ?? "";
  const words = WORDS[long] ?? WORDS[value] ?? choices(long);
  if (words !== undefined) return words.map((word) => [word, ""]);
  if (value === "CONTEXT" || long === "--context") return (await contexts()).map((name) => [name, ""]);
  if (long === "--identity") return (await identities()).map((name) => [name, ""]);
  if (value === "SIGNAL" || long === "--signal") return signals(current);
  if (value === "COMMANDS") {
    return command.parent === null ? [] : allCandidates({ kind: "commands", command: command.parent }, current, {
      calls,
      contexts,
      identities,
    });
  }
  if (value === "DIR" && long === "--certs") return "directories";
  if (value === "FILE") return "files";
  const isJob = value === "ID" || long === "--job" || long === "--like";
  if (!isJob && long !== "--label" && long !== "--owner") return [];
  const isUnended = isJob && FOR_UNENDED.includes(command.name());
  const request = isUnended ? { states: [...UNENDED] } : {};
  const jobs = await listJobs(await calls(), current, isJob ? request : {}, isJob);
  if (isJob) return jobs.map(jobCandidate(current));
  const values = long === "--owner"
    ? jobs.map(({ owner }) => owner)
    : jobs.flatMap(({ labels }) => Object.entries(labels).map(([key, label]) => `${key}=${label}`));
  return [...new Set(values)].sort().map((word) => [word, ""]);
}

/** Returns jobs. An id that was begun selects them on the server, so that also an old job is found. */
async function listJobs(
  calls: Pick<JobWorkerClient, "List">,
  current: string,
  request: Sent<ListRequest>,
  isJob: boolean,
): Promise<JobStatus[]> {
  const byId = isJob && ID_PREFIX_PATTERN.test(current) ? { id_prefix: current } : undefined;
  const requests = byId === undefined ? [request] : [request, { ...request, ...byId }];
  const pages = await Promise.all(requests.map((one) =>
    // An older server refuses to select by the beginning of an id.
    calls.List({ ...one, page_size: MAX_JOBS }).catch(() => ({ jobs: [] }))
  ));
  const jobs = pages.flatMap(({ jobs }) => jobs);
  return jobs.filter(({ id }, at) => jobs.findIndex((job) => job.id === id) === at);
}

/** A job with a name is completed by its name, unless an id was begun. */
function jobCandidate(current: string): (job: JobStatus) => Candidate {
  return (job) => {
    const text = `${job.state.replace("STATE_", "")} ${formatCommand(job.command, job.args.slice(0, 10))}`;
    const word = job.name !== "" && job.name.startsWith(current) ? job.name : job.id;
    return [word, text.slice(0, MAX_NOTE_CHARACTERS)];
  };
}

/** Returns the words of an option of the table that has a fixed choice. */
function choices(long: string): string[] | undefined {
  const all = OPTION_ENTRIES.flatMap(([, descriptor]): (AnyOption | AnyMember)[] =>
    descriptor.kind === "group" ? [descriptor, ...Object.values<AnyMember>(descriptor.members)] : [descriptor]
  );
  const found = all.find(({ kind, flag }) => kind === "choice" && flag?.syntax.split(/[ ,]+/).includes(long));
  return found?.kind === "choice" ? Object.values(found.words) : undefined;
}

/** The names of all signals, with SIG or without it as the user began. */
function signals(current: string): Candidate[] {
  const names = Array.from({ length: 31 }, (_, at) => signalName(at + 1) ?? "").filter((name) => name !== "");
  const isShort = current !== "" && !"SIG".startsWith(current) && !current.startsWith("SIG");
  return names.map((name) => [isShort ? name.slice(3) : name, ""]);
}
