/** A rule of the policy as text. */
import type { CallName } from "../../proto/service.ts";
import { CALL_KINDS, type Rule } from "./policy.ts";

/** Returns a rule as text, such as `operator/1: all calls on own jobs`. */
export function ruleText({ name, calls, jobs, commands, templates }: Rule): string {
  const all = (Object.keys(CALL_KINDS) as CallName[]).filter((call) => CALL_KINDS[call] !== "self");
  const reading = all.filter((call) => CALL_KINDS[call] === "read");
  const isExactly = (set: readonly CallName[]) => calls.size === set.length && set.every((call) => calls.has(call));
  const callText = isExactly(all) ? "all calls" : isExactly(reading) ? "read" : [...calls].join(", ");
  const jobText = typeof jobs === "string"
    ? `${jobs} jobs`
    : `jobs with ${Object.entries(jobs.labels).map(([key, value]) => `${key}=${value}`).join(", ")}`;
  const limits = [
    ...(commands === undefined ? [] : [`commands ${commands.map(({ path }) => path).join(", ") || "none"}`]),
    ...(templates === undefined ? [] : [`templates ${[...templates].join(", ") || "none"}`]),
  ];
  return `${name}: ${callText} on ${jobText}${limits.length === 0 ? "" : `, only ${limits.join(", ")}`}`;
}
