/** `teleport login`: sets this machine up for a server, from one bundle. */
import { errorMessage } from "../../base/error_message.ts";
import type { Command } from "commander";
import type { Declare, SetupContext } from "../command.ts";
import { checkContextName, nameForAddress } from "../contexts/context_name.ts";
import { readBundle } from "../contexts/bundle_file.ts";
import { changeConfigFile, type ContextValues, readConfigFile } from "../contexts/config_file.ts";
import { filesOf, writeContextFiles } from "../contexts/context_files.ts";
import { requiredConfigDirectory } from "../contexts/select_context.ts";
import { SettingsError } from "../contexts/settings_error.ts";
import { EXIT_CODE } from "../exit_code.ts";
import type { Bundle } from "../../trust/bundle.ts";
import { UsageError } from "../../units/usage_error.ts";

const NOTES = `
The bundle is one file of the administrator, made with "certs bundle NAME FILE". It has the address, the
authority, your certificate and its key. With - it comes from the standard input:
  ssh admin@host certs bundle ann - | teleport login -

The new context gets the name of --context, or of the server's host. It is then the one in use.
The files go to ~/.config/teleport/contexts/NAME, readable only for you. Delete the bundle afterwards.`;

interface LoginFlags {
  readonly force?: true;
}

/** The deadline of the call to the server, in milliseconds. The login is complete without an answer. */
const ASK_MS = 5_000;

export const declare: Declare = (command, runner) => {
  command.option("--force", "replace the context of this name")
    .addHelpText("after", NOTES)
    .action(async (path: string, flags: LoginFlags, self: Command) => {
      await runner.setup(self, (context) => login(context, path, flags));
    });
};

async function login(context: SetupContext, path: string, { force }: LoginFlags): Promise<number> {
  const { env, flags, io, print } = context;
  for (const name of ["certs", "identity"] as const) {
    if (flags[name] !== undefined) throw new UsageError(`Unexpected --${name}: the bundle has it`);
  }
  const wanted = flags.context === undefined ? undefined : checkContextName(flags.context);
  const dir = requiredConfigDirectory(env);
  // A damaged file of contexts is found before anything is written.
  await readConfigFile(dir);
  const given = await readBundle(path, io.stdin);
  const bundle: Bundle = flags.address === undefined ? given : { ...given, address: flags.address };
  const name = wanted ?? nameForAddress(bundle.address);
  const values: ContextValues = { address: bundle.address, certs: filesOf(name), identity: bundle.identity };
  await changeConfigFile(dir, async (before) => {
    if (before.contexts.has(name) && force !== true) {
      throw new SettingsError(
        `The context "${name}" exists: give another name with --context NAME, or replace it with --force`,
      );
    }
    await writeContextFiles(dir, name, bundle);
    return { current: name, contexts: new Map([...before.contexts, [name, values]]) };
  });
  const user = await askServer(context, bundle).catch(async (error) => {
    await print.note(`The context "${name}" is set up, but its server cannot be asked: ${errorMessage(error)}`);
    return undefined;
  });
  if (print.isJson) {
    await print.jsonLine({ name, ...values, certs: `${dir}/${filesOf(name)}`, answered: user === true });
  } else await print.line(`Logged in to ${bundle.address} as "${bundle.identity}": context "${name}" is now in use`);
  if (env.TELEPORT_CONTEXT && env.TELEPORT_CONTEXT !== name) {
    await print.note(`TELEPORT_CONTEXT is "${env.TELEPORT_CONTEXT}", which wins over the context in use`);
  }
  return EXIT_CODE.OK;
}

/** Returns true when the server answers. */
async function askServer({ io }: SetupContext, { address, authority, certificate, key }: Bundle): Promise<true> {
  await using connection = await io.connect({ address, credentials: { ca: authority, cert: certificate, key } });
  await connection.calls.WhoAmI({}, { deadlineMs: ASK_MS });
  return true;
}
