/** `teleport version`: prints the version of this program, and with `--server` that of the server. */
import type { Command } from "commander";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context, type LocalContext } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { formatRows } from "../print/status_text.ts";
import { VERSION } from "../version.ts";

export const declare: Declare = (command, runner) => {
  command.option("--server", "ask the server too, and warn when the two do not fit")
    .action(async (flags: { readonly server?: true }, self: Command) => {
      if (flags.server) await runner.call(self, both);
      else await runner.local(self, own);
    });
};

async function own({ print }: LocalContext): Promise<number> {
  await (print.isJson ? print.jsonLine({ client: { version: VERSION } }) : print.line(VERSION));
  return EXIT_CODE.OK;
}

async function both({ calls, print }: Context): Promise<number> {
  const { version, runtime_version } = await calls.Info({}, { deadlineMs: CALL_DEADLINE_MS });
  const fits = doFit(VERSION, version);
  if (print.isJson) {
    await print.jsonLine({ client: { version: VERSION }, server: { version, runtime_version }, fits });
  } else {
    const server = escapeTerminal(`${version} (Deno ${runtime_version})`);
    await print.line(formatRows([["Client", VERSION], ["Server", server]]).join("\n"));
  }
  if (!fits) {
    await print.note(
      `This program has version ${VERSION} and the server ${version}: use the same first two numbers on both sides`,
    );
  }
  return EXIT_CODE.OK;
}

/** Returns whether two versions have the same major and minor number. Patches add no field and no call. */
export function doFit(client: string, server: string): boolean {
  const [a, b] = [client, server].map((version) => /^(\d+\.\d+)\.\d+(?:[-+].*)?$/.exec(version)?.[1]);
  return a !== undefined && a === b;
}
