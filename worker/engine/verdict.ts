/** Decides what became of a job whose host has no link, from what is known and from what the engine says. */
import type { EngineWord } from "./engine.ts";

/** What is known of a job. */
export interface Sight {
  /** True when a host was accepted, so that the job may have started. */
  readonly isClaimed: boolean;
  /** True while the host has a link. */
  readonly isLinked: boolean;
  /** What the engine says of the job. Empty: it was asked, has answered, and does not know the job. */
  readonly words: readonly EngineWord[];
  /** How long the words and the link are as they are, in milliseconds. */
  readonly unchangedMs: number;
  /** How often the job was submitted. */
  readonly submits: number;
}

/**
 * What became of a job.
 *
 * - `ALIVE`: its host reports. Nothing else counts
 * - `WAITS`: no host was accepted yet
 * - `SUBMIT`: the engine has forgotten the job before it started. It must be submitted again
 * - `UNREACHABLE`: the job may run
 * - `FAILED`: it never started, and will not
 * - `LOST`: it may have run, and cannot run any more
 */
export type Verdict =
  | { readonly is: "ALIVE" }
  | { readonly is: "SUBMIT" }
  | { readonly is: "WAITS" | "UNREACHABLE" | "FAILED" | "LOST"; readonly text: string };

/** How often a job is submitted that the engine forgets. */
const MAX_SUBMITS = 3;

/** Returns the verdict. Call it only after the engine has answered. */
export function verdict({ isClaimed, isLinked, words, unchangedMs, submits }: Sight, settleMs: number): Verdict {
  if (isLinked) return { is: "ALIVE" };
  const isSettled = unchangedMs >= settleMs;
  const text = words.length === 0 ? "the job is unknown" : words.map((word) => word.text).join(", ");
  const isActive = words.some(({ phase }) => phase === "QUEUED" || phase === "PLACED");
  if (!isClaimed) {
    if (isActive || !isSettled) return { is: "WAITS", text };
    return words.length === 0 && submits < MAX_SUBMITS ? { is: "SUBMIT" } : { is: "FAILED", text };
  }
  const mayLive = words.some(({ phase, nodeAnswers }) => phase === "NODE_LOST" && nodeAnswers !== true);
  return { is: isActive || mayLive || !isSettled ? "UNREACHABLE" : "LOST", text };
}
