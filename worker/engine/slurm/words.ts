/** Reads the answers of squeue(1) and sinfo(1). */
import type { BegunJob, EngineWord } from "../engine.ts";

/**
 * The fields of a line, for `squeue -O`. The comment comes last, because a cluster may set it: it may contain the
 * separator and line breaks. A name with the separator is not ours.
 */
export const WORD_FIELDS = "JobID:|,State:|,exit_code:|,NodeList:|,Reason:|,Name:|,Comment:";

/** The beginning of the names of our jobs. */
export const NAME_PREFIX = "teleport-";

const OUR_NAME = new RegExp(`^${NAME_PREFIX}([0-9a-f]{32})$`);

const QUEUED = new Set([
  "PENDING",
  "REQUEUED",
  "REQUEUE_FED",
  "REQUEUE_HOLD",
  "RESV_DEL_HOLD",
  "SPECIAL_EXIT",
]);

/** States that are final for a submission; squeue(1), "JOB STATE CODES". */
const ENDED = new Set([
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "REVOKED",
  "TIMEOUT",
]);

/** Reads the lines of squeue(1) with {@linkcode WORD_FIELDS}. Jobs with other names are left out. */
export function readWords(stdout: string): EngineWord[] {
  const words: EngineWord[] = [];
  for (const line of stdout.split("\n")) {
    const [handle, state, status, node, reason, name = "", ...comments] = line.split("|");
    const id = OUR_NAME.exec(name.trim())?.[1];
    const comment = comments.join("|").trim();
    if (id === undefined || handle === undefined || state === undefined) continue;
    words.push({
      id,
      handle,
      phase: phaseOf(state),
      text: textOf(state, reason ?? "", Number(status)),
      ...(node === undefined || node === "" ? {} : { node }),
      // The script of a job host that has failed sets this one; teleportd/nodes/node_config.ts.
      ...(comment.includes(`/${NAME_PREFIX}${id}.err: `) ? { stderr: comment } : {}),
    });
  }
  return words;
}

/**
 * Adds to the words about jobs of lost nodes whether the node answers.
 *
 * @param silentNodes the nodes that do not answer the controller
 */
export function withNodeAnswers(words: readonly EngineWord[], silentNodes: ReadonlySet<string>): EngineWord[] {
  return words.map((word) => {
    const { phase, node } = word;
    return phase === "NODE_LOST" ? { ...word, nodeAnswers: node !== undefined && !silentNodes.has(node) } : word;
  });
}

/**
 * Returns the words about jobs that have begun and that Slurm does not know. Slurm forgets a job of a lost node after
 * `MinJobAge`, and the job may still run there.
 */
export function forgottenWords(jobs: readonly BegunJob[], silentNodes: ReadonlySet<string>): EngineWord[] {
  return jobs.map(({ id, node }) => {
    return { id, node, phase: "NODE_LOST", text: "it does not know the job", nodeAnswers: !silentNodes.has(node) };
  });
}

/** A state that this file does not know counts as `PLACED`: it decides nothing. */
function phaseOf(state: string): EngineWord["phase"] {
  if (QUEUED.has(state)) return "QUEUED";
  if (ENDED.has(state)) return "ENDED";
  return state === "NODE_FAIL" ? "NODE_LOST" : "PLACED";
}

/**
 * @param status the status of wait(2), as Slurm stores it
 */
function textOf(state: string, reason: string, status: number): string {
  const why = reason === "" || reason === "None" ? "" : ` (${reason})`;
  const signal = status & 0x7f;
  const code = status >> 8;
  if (signal > 0) return `${state}${why}, signal ${signal}`;
  return code > 0 ? `${state}${why}, exit code ${code}` : `${state}${why}`;
}

/**
 * Reads the lines of `sinfo -h -N -o '%N|%T'`. An asterisk after the state means that the node does not answer; sinfo(1).
 *
 * @returns the nodes that do not answer
 */
export function readSilentNodes(stdout: string): Set<string> {
  const silent = new Set<string>();
  for (const line of stdout.split("\n")) {
    const [node, state = ""] = line.trim().split("|");
    if (node !== undefined && state.endsWith("*")) silent.add(node);
  }
  return silent;
}
