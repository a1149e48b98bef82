/** The command line that starts the program again. */
import assert from "node:assert/strict";
import { withAbsolutePaths } from "../../../teleportd/process/program_command.ts";
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

Deno.test("withAbsolutePaths() changes the paths in options of Deno, and no other word", async () => {
  await using dir = await tempDir();
  const from = Deno.cwd();
  const root = await Deno.realPath(dir.path);
  for (const name of ["deno.json", "env", "server.ts", "run", "-A"]) await Deno.writeTextFile(`${root}/${name}`, "");
  Deno.chdir(root);
  try {
    assert.deepEqual(
      withAbsolutePaths([
        ..."run -A -c deno.json --env-file=env --allow-read=env".split(" "),
        ..."--config https://example.com/deno.json --import npm:x server.ts".split(" "),
      ]),
      [
        ...`run -A -c ${root}/deno.json --env-file=${root}/env --allow-read=env`.split(" "),
        ...`--config https://example.com/deno.json --import npm:x ${root}/server.ts`.split(" "),
      ],
    );
    assert.deepEqual(withAbsolutePaths([]), []);
  } finally {
    Deno.chdir(from);
  }
});
