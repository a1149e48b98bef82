/** The command line that starts the program again. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";

const MODULE = new URL("../../../teleportd/process/program_command.ts", import.meta.url);

Deno.test("programCommand() gives the absolute path of the script, because nodes start it in another directory", async () => {
  await using dir = await tempDir();
  const script = `import { programCommand } from "${MODULE}"; console.log(JSON.stringify(programCommand(2)));`;
  await Deno.writeTextFile(`${dir.path}/script.ts`, script);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", "script.ts", "--listen", "x"],
    cwd: dir.path,
  }).output();
  const command: string[] = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual(command.slice(1), ["run", "-q", "-A", "--no-check", `${await Deno.realPath(dir.path)}/script.ts`]);
});
