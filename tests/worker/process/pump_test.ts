/** Tests of the end of a pipe that a process left in another's hands. */
import assert from "node:assert/strict";
import { drain, pump } from "../../../worker/process/pump.ts";

/** Blocks this thread, as a machine does that has no processor time for it. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

Deno.test("drain takes what is in the pipe, also when its time ran out while the thread got no processor", async () => {
  const child = new Deno.Command("sh", { args: ["-c", "sleep 0.5; echo late; exec sleep 1000"], stdout: "piped" })
    .spawn();
  let text = "";
  // deno-lint-ignore require-await
  const append = async (_: unknown, chunk: Uint8Array) => void (text += new TextDecoder().decode(chunk));
  const stdout = pump("stdout", child.stdout, { gone: new AbortController().signal, output: { append } });
  const drained = drain([stdout]);
  block(2_500);
  await drained;
  child.kill("SIGKILL");
  await child.status;
  assert.equal(text, "late\n");
});
