/** Refuses the options that a server cannot apply, where their descriptors say how to tell. */
import type { ServerProcess } from "./descriptor.ts";
import { OPTION_ENTRIES } from "./entries.ts";
import type { JobOptionName, JobOptionValues } from "./table.ts";

type Refusal = (value: number, server: ServerProcess) => string | undefined;

const REFUSALS: readonly (readonly [JobOptionName, Refusal])[] = OPTION_ENTRIES.flatMap(([name, option]) =>
  "refusal" in option && option.refusal !== undefined ? [[name, option.refusal] as const] : []
);

/**
 * Returns why the server cannot apply an option.
 *
 * @param readServer reads what the server is; called only when an option depends on it
 * @returns undefined when it can apply all of them
 */
export function optionsRefusal(options: JobOptionValues, readServer: () => ServerProcess): string | undefined {
  for (const [name, refusal] of REFUSALS) {
    const value = options[name];
    const why = typeof value === "number" ? refusal(value, readServer()) : undefined;
    if (why !== undefined) return why;
  }
  return undefined;
}
