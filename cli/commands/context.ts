/** `teleport context`: lists, selects, adds and removes the servers of this user. */
import type { Command } from "commander";
import { formatColumns } from "../../text/columns.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { UsageError } from "../../units/usage_error.ts";
import { addCommonOptions, type Declare, type SetupContext } from "../command.ts";
import { checkAddress, checkIdentity } from "../config.ts";
import { changeConfigFile, type ContextValues, readConfigFile } from "../contexts/config_file.ts";
import { removeContextFiles } from "../contexts/context_files.ts";
import { checkContextName } from "../contexts/context_name.ts";
import { contextDirectory, requiredConfigDirectory, unknownContext } from "../contexts/select_context.ts";
import { SettingsError } from "../contexts/settings_error.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { formatRows } from "../print/status_text.ts";
import { defined } from "../../base/defined.ts";

const NOTES = `
Examples:
  teleport login ann.bundle                           a context from a bundle; see "teleport login --help"
  teleport context add lab --address lab:50051 --certs ~/lab --identity ann
  teleport context use lab                            for all later commands
  teleport --context lab list                         for one command
  export TELEPORT_CONTEXT=lab                         for this terminal

Each value comes from the flag, else the environment, else the context, else the default.
"teleport whoami -v" shows each value and where it came from. The file is ~/.config/teleport/config.toml.`;

interface ShowFlags {
  readonly quiet?: true;
}

export const declare: Declare = (command, runner) => {
  command.addHelpText("after", NOTES);
  add(command, "ls", "", "List the contexts; * marks the one in use")
    .option("-q, --quiet", "print only names")
    .action((flags: ShowFlags, self: Command) => runner.setup(self, (context) => list(context, flags)));
  add(command, "use", "<CONTEXT>", "Use a context for later commands")
    .action((name: string, _: unknown, self: Command) => runner.setup(self, (context) => use(context, name)));
  add(command, "add", "<CONTEXT>", "Add a context with --address, and maybe --certs and --identity")
    .option("--force", "replace the context of this name")
    .action((name: string, flags: { force?: true }, self: Command) =>
      runner.setup(self, (context) => addContext(context, name, flags.force ?? false))
    );
  add(command, "rm", "<CONTEXT...>", "Remove contexts, and their files if they came from a bundle")
    .action((names: string[], _: unknown, self: Command) => runner.setup(self, (context) => remove(context, names)));
  add(command, "show", "[CONTEXT]", "Print the values of a context; default: the one in use")
    .action((name: string | undefined, _: unknown, self: Command) =>
      runner.setup(self, (context) => show(context, name))
    );
};

function add(command: Command, name: string, operands: string, summary: string): Command {
  const sub = command.command(`${name} ${operands}`.trimEnd())
    .usage(`[OPTIONS] ${operands.replace(/[<>]/g, "")}`.trimEnd())
    .description(summary);
  return addCommonOptions(sub, { hidden: true });
}

async function list({ env, flags, print }: SetupContext, { quiet }: ShowFlags): Promise<number> {
  const { current, contexts } = await readConfigFile(requiredConfigDirectory(env));
  const used = flags.context ?? (env.TELEPORT_CONTEXT || current);
  const rows: string[][] = [];
  for (const [name, { address = "", identity = "" }] of contexts) {
    if (print.isJson) await print.jsonLine({ name, address, identity, in_use: name === used });
    else if (quiet) await print.line(name);
    else rows.push([name === used ? "*" : "", name, escapeTerminal(address), escapeTerminal(identity)]);
  }
  if (!print.isJson && !quiet) await print.line(formatColumns([["", "NAME", "ADDRESS", "IDENTITY"], ...rows]));
  if (rows.length === 0 && contexts.size === 0) {
    await print.note('No context exists: make one with "teleport login" or "teleport context add"');
  }
  return EXIT_CODE.OK;
}

async function use({ env, print }: SetupContext, name: string): Promise<number> {
  const dir = requiredConfigDirectory(env);
  await changeConfigFile(dir, (before) => {
    if (!before.contexts.has(name)) throw unknownContext(name, [...before.contexts.keys()]);
    return { ...before, current: name };
  });
  if (env.TELEPORT_CONTEXT && env.TELEPORT_CONTEXT !== name) {
    await print.note(`TELEPORT_CONTEXT is "${env.TELEPORT_CONTEXT}", which wins over "${name}"`);
  }
  return EXIT_CODE.OK;
}

async function addContext({ env, flags }: SetupContext, name: string, replace: boolean): Promise<number> {
  checkContextName(name);
  if (flags.address === undefined) throw new UsageError("Missing --address: give HOST:PORT of the server");
  if (flags.certs === "") throw new UsageError('Invalid directory "" for --certs: give a path');
  const certs = flags.certs === undefined || flags.certs.startsWith("/") ? flags.certs : `${Deno.cwd()}/${flags.certs}`;
  const identity = flags.identity === undefined ? undefined : checkIdentity(flags.identity);
  const values: ContextValues = { address: checkAddress(flags.address), ...defined({ certs, identity }) };
  await changeConfigFile(requiredConfigDirectory(env), (before) => {
    if (before.contexts.has(name) && !replace) {
      throw new SettingsError(`The context "${name}" exists: give another name, or replace it with --force`);
    }
    const contexts = new Map([...before.contexts, [name, values]]);
    // The first context is the one in use.
    return { current: before.current ?? name, contexts };
  });
  return EXIT_CODE.OK;
}

async function remove({ env, print }: SetupContext, names: readonly string[]): Promise<number> {
  const dir = requiredConfigDirectory(env);
  let usedName: string | undefined;
  await changeConfigFile(dir, ({ current, contexts }) => {
    const rest = new Map(contexts);
    for (const name of names) {
      if (!contexts.has(name)) throw unknownContext(name, [...contexts.keys()]);
      rest.delete(name);
    }
    usedName = current !== undefined && names.includes(current) ? current : undefined;
    return usedName === undefined ? { ...defined({ current }), contexts: rest } : { contexts: rest };
  });
  // After the file, so that no context is without its files.
  for (const name of names) await removeContextFiles(dir, name);
  if (usedName !== undefined) {
    await print.note(`No context is in use now, "${usedName}" was: choose one with "teleport context use NAME"`);
  }
  return EXIT_CODE.OK;
}

async function show({ env, flags, print }: SetupContext, given: string | undefined): Promise<number> {
  const dir = requiredConfigDirectory(env);
  const { current, contexts } = await readConfigFile(dir);
  const name = given ?? flags.context ?? (env.TELEPORT_CONTEXT || current);
  if (name === undefined) {
    throw new SettingsError('No context is in use: choose one with "teleport context use NAME"');
  }
  const values = contexts.get(name);
  if (values === undefined) throw unknownContext(name, [...contexts.keys()]);
  const certs = contextDirectory(dir, values);
  if (print.isJson) {
    await print.jsonLine({ name, ...values, ...defined({ certs }), in_use: name === current });
    return EXIT_CODE.OK;
  }
  const rows: [string, string][] = [
    ["Name", name],
    ["Address", values.address ?? ""],
    ["Certificates", certs ?? ""],
    ["Identity", values.identity ?? ""],
  ];
  await print.line(formatRows(rows.map(([label, value]) => [label, escapeTerminal(value)])).join("\n"));
  return EXIT_CODE.OK;
}
