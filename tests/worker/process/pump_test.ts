/** Tests of the end of a pipe that a process left in another's hands. */
import assert from "node:assert/strict";
import { drain, pump } from "../../../worker/process/pump.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Blocks this thread, as a machine does that has no processor time for it. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

Deno.test("drain takes what is in the pipe, also when its time ran out while the thread got no processor", async () => {
  await using place = await tempDir();
  const script = 'sleep 0.5; echo late; : > "$0/written"; exec sleep 1000';
  const child = new Deno.Command("sh", { args: ["-c", script, place.path], stdout: "piped" }).spawn();
  let text = "";
  // deno-lint-ignore require-await
  const append = async (_: unknown, chunk: Uint8Array) => void (text += new TextDecoder().decode(chunk));
  const stdout = pump("stdout", child.stdout, { gone: new AbortController().signal, output: { append } });
  const drained = drain([stdout]);
  block(2_500);
  // A busy machine may need longer.
  while ([...Deno.readDirSync(place.path)].length === 0) block(50);
  await drained;
  child.kill("SIGKILL");
  await child.status;
  assert.equal(text, "late\n");
});
