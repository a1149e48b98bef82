/** The hidden command that completion scripts call: prints the candidates for the last word of a command line. */
import type { Command } from "commander";
import { deadline } from "../../base/deadline.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { connectAs } from "../certificate_files.ts";
import type { CommonFlags, Declare, SetupContext } from "../command.ts";
import { type Candidates, candidatesFor } from "../completion/candidates.ts";
import { readLine } from "../completion/place.ts";
import { configOf, resolveSettings } from "../config.ts";
import { requiredConfigDirectory, selectContext } from "../contexts/select_context.ts";
import { EXIT_CODE } from "../exit_code.ts";

/**
 * The longest time for the candidates, two seconds in turns of milliseconds. A shell does not react to keys meanwhile.
 *
 * There are many short turns, because a timer is late on a machine that has no processor time for this process. The
 * server is then not to blame, and the user gets the candidates a moment later.
 */
const TURN_MS = 100;
const MAX_TURNS = 20;

export const declare: Declare = (command, runner) => {
  command.passThroughOptions().allowUnknownOption()
    .action(async (words: string[], _flags: unknown, self: Command) => {
      await runner.setup(self, (context) => complete(context, self.parent!, words));
    });
};

/** Prints the kind of the candidates, then one in each line with its note. Prints nothing when there is an error. */
async function complete(context: SetupContext, program: Command, words: readonly string[]): Promise<number> {
  // A user who presses Tab cannot do anything about an error.
  const found = await inTime(find(context, program, words)).catch(() => undefined);
  if (found === undefined) return EXIT_CODE.OK;
  const lines = typeof found === "string" ? [`:${found}`] : [
    ":words",
    ...found.map((candidate) => candidate.map((text) => escapeTerminal(text).replaceAll("\t", " ")).join("\t")),
  ];
  await context.print.line(lines.join("\n"));
  return EXIT_CODE.OK;
}

/** Resolves to the candidates, or to undefined when they take too long. */
async function inTime(finding: Promise<Candidates>): Promise<Candidates | undefined> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const found = await deadline(finding, TURN_MS);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function find({ env, io }: SetupContext, program: Command, words: readonly string[]): Promise<Candidates> {
  const line = readLine(program, words);
  const flags: CommonFlags = line.given;
  const config = async () => configOf(resolveSettings(flags, env, await selectContext(flags.context, env)));
  return await candidatesFor(line, {
    // Not closed: the program ends after this command, and a close could take longer than the user waits.
    calls: async () => (await connectAs(io, await config())).calls,
    async contexts() {
      const { readConfigFile } = await import("../contexts/config_file.ts");
      return [...(await readConfigFile(requiredConfigDirectory(env))).contexts.keys()];
    },
    async identities() {
      const { certsDir } = await config();
      const names = (await Array.fromAsync(Deno.readDir(certsDir))).map(({ name }) => name);
      return names.filter((name) => name.endsWith(".key") && !/^(ca|server)\.key$/.test(name))
        .map((name) => name.slice(0, -".key".length));
    },
  });
}
