/** The command line as its users run it: from the sources with the options of `deno task cli`, and from its bundle. */
import { checked } from "./shell.ts";
import type { Server, Stage } from "./stage.ts";
import { tasks } from "./tasks.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const CONFIG = `${ROOT}deno.json`;

/** A form of the command line. */
export interface ClientProgram {
  readonly name: "sources" | "bundle";
  /** Returns the words of a command. The options of Deno come before its script. */
  command(args: readonly string[], denoOptions?: readonly string[]): string[];
}

/** The words between `deno` and the script in `deno task cli`, such as its permissions. */
const OPTIONS = tasks.cli.split(" ").slice(1, -1);

function form(name: ClientProgram["name"], script: string): ClientProgram {
  return {
    name,
    command: (args, [...more] = []) => [Deno.execPath(), ...OPTIONS, ...more, "-c", CONFIG, script, ...args],
  };
}

/** The command line from its sources. */
export const SOURCES: ClientProgram = form("sources", `${ROOT}cli.ts`);

/**
 * Bundles the command line as `deno task bundle` does, into the directory of the stage.
 *
 * @returns the program; a sentence when it cannot be bundled
 */
export async function bundledClient({ dir }: Stage): Promise<ClientProgram | string> {
  const words = tasks.bundle.split("&&").map((part) => part.trim().split(" ")).find((part) => part.at(-1) === "cli.ts");
  if (words === undefined) return "`deno task bundle` does not bundle the command line";
  const target = `${dir}/client`;
  const args = words.slice(1).map((word, index, all) => all[index - 1] === "--outdir" ? target : word);
  try {
    await checked(Deno.execPath(), args, { cwd: ROOT });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `the client cannot be bundled: ${reason.split("\n", 1)[0]}`;
  }
  return form("bundle", `${target}/cli.js`);
}

/** Returns the environment of a command line that calls a server. */
export function clientEnvironment({ certs }: Stage, { address }: Server): Record<string, string> {
  return { TELEPORT_ADDRESS: address, TELEPORT_CERTS: certs, TELEPORT_IDENTITY: "admin" };
}
