/** Tests of the calls that find out whether a file or a process is missing. */
import assert from "node:assert/strict";
import { isGone, isMissing } from "../../../worker/linux/absence.ts";
import { needing } from "../../support/needs.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("isMissing() returns true only for ENOENT", async () => {
  await using temp = await tempDir();
  const path = (name: string) => `${temp.path}/${name}`;
  await Deno.writeTextFile(path("file ü"), "");
  await Deno.symlink("loop", path("loop"));
  await Deno.symlink("nothing", path("dangling"));
  for (const name of ["nothing", "dangling", "nothing/inside"]) assert.equal(isMissing(path(name)), true, name);
  for (const name of ["", "file ü", "loop", "file ü/inside", "x".repeat(256)]) {
    assert.equal(isMissing(path(name)), false, name);
  }
});

Deno.test("isGone() returns true only for a process or group that does not exist", async () => {
  const child = new Deno.Command("sleep", { args: ["1000"], detached: true }).spawn();
  assert.deepEqual([child.pid, -child.pid, 1, Deno.pid].map(isGone), [false, false, false, false]);
  child.kill();
  await child.status;
  assert.deepEqual([isGone(child.pid), isGone(-child.pid)], [true, true]);
});

Deno.test({
  ...needing("root", "isMissing() returns false for a path in a directory that may not be entered"),
  async fn() {
    await using temp = await tempDir();
    const module = new URL("../../../worker/linux/absence.ts", import.meta.url).href;
    const code = `import { isGone, isMissing } from "${module}";
      console.log(JSON.stringify([isMissing("${temp.path}/closed"), isMissing("/nothing"), isGone(1), isGone(-1234567)]));`;
    // Another user may read neither the modules nor the program, so root reads them and then becomes that user.
    const become =
      'Deno.dlopen("libc.so.6", { setuid: { parameters: ["u32"], result: "i32" } }).symbols.setuid(65534);';
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", code.replace("console.log", `${become} console.log`)],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "[false,true,false,true]\n", new TextDecoder().decode(stderr));
  },
});
