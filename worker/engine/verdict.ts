/**
 * Decides what is true about a job that an engine placed. The job host that runs it is the only witness of a process. The
 * engine's words decide only when no host is connected, and only after they were the same for a while.
 */
import type { EngineWord } from "./engine.ts";

/** The known facts about a job. */
export interface Sight {
  /** A job host has claimed the job, so a process may exist. */
  readonly isClaimed: boolean;
  /** The host is connected. */
  readonly isLinked: boolean;
  /** The engine's words about the job, from a question that was answered. */
  readonly words: readonly EngineWord[];
  /** For how long all this has been the same, in milliseconds. */
  readonly unchangedMs: number;
  /** How often the job was submitted. */
  readonly submits: number;
}

/** The conclusion. The text gives the reason. */
export type Verdict =
  | { readonly is: "ALIVE" }
  | { readonly is: "WAITS" | "UNREACHABLE" | "FAILED" | "LOST"; readonly text: string }
  | { readonly is: "SUBMIT" };

/** The most submissions of one job. A controller that forgets three times in a row would forget the fourth one too. */
export const MAX_SUBMITS = 3;

const UNKNOWN = "it does not know the job";

/**
 * Decides about one job.
 *
 * @param settleMs for how long words about an end must be the same before they count, in milliseconds. It must be longer
 * than the longest wait of a host between two connections.
 */
export function verdict(sight: Sight, settleMs: number): Verdict {
  if (sight.isLinked) return { is: "ALIVE" };
  const waits = sight.isClaimed ? "UNREACHABLE" : "WAITS";
  const mayRun = sight.words.find((word) => isOpen(word, sight.isClaimed));
  if (mayRun !== undefined) return { is: waits, text: mayRun.text };
  const text = sight.words.map((word) => word.text).join(", ") || UNKNOWN;
  if (sight.unchangedMs < settleMs) return { is: waits, text };
  if (sight.isClaimed) return { is: "LOST", text };
  // The engine has lost the job, or the node before the job began. No other end is a reason to try again.
  if (sight.words.every(({ phase }) => phase === "NODE_LOST") && sight.submits < MAX_SUBMITS) return { is: "SUBMIT" };
  return { is: "FAILED", text };
}

/**
 * Returns how long it takes until words that stay the same decide about a job, in milliseconds. Infinity when they never
 * do, or have decided.
 */
export function decidesInMs(sight: Sight, settleMs: number): number {
  const leftMs = settleMs - sight.unchangedMs;
  if (leftMs <= 0 || sight.isLinked) return Infinity;
  const { is } = verdict({ ...sight, unchangedMs: settleMs }, settleMs);
  return is === "WAITS" || is === "UNREACHABLE" ? Infinity : leftMs;
}

/** Tells whether a host of this submission may still run or come. */
function isOpen({ phase, nodeAnswers }: EngineWord, isClaimed: boolean): boolean {
  if (phase === "QUEUED" || phase === "PLACED") return true;
  return phase === "NODE_LOST" && isClaimed && nodeAnswers !== true;
}
