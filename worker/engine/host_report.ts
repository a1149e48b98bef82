/** Describes what a node host has written to its standard error, for a job whose end the host does not report. */
import type { EngineWord } from "./engine.ts";
import type { HostReport } from "./placing.ts";

/** The most characters of it in the error of a job. */
const MAX_CHARS = 1_000;

/**
 * Returns the end of a sentence about a job: what its host has written, and where.
 *
 * @param node the machine; undefined when none is known, and then no host has begun
 */
export function hostReportText(words: readonly EngineWord[], node: string | undefined, report: HostReport): string {
  if (node === undefined) return "";
  const line = report.text.replaceAll(/\s+/g, " ").trim().slice(-MAX_CHARS);
  const heard = words.findLast(({ stderr }) => stderr !== undefined)?.stderr;
  const text = line === "" ? heard : `${report.path}: ${line}`;
  if (text === undefined) return `; its job host may have left ${report.path} on node "${node}"`;
  return `; its job host on node "${node}" wrote to ${text}`;
}
