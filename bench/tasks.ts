/** The commands of the tasks in deno.json. The benchmark runs the programs with the options that their users have. */
const config = JSON.parse(Deno.readTextFileSync(new URL("../deno.json", import.meta.url)));

/** The command of each task. */
export const tasks: Readonly<Record<"serve" | "cli" | "bundle", string>> = {
  serve: config.tasks.serve.command,
  cli: config.tasks.cli.command,
  bundle: config.tasks.bundle.command,
};
