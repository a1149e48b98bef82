/** The server and its jobs are apart: nothing that the starter of a process left to it reaches what it starts. */
import assert from "node:assert/strict";
import { assertApart, starter } from "../support/inheritance_starter.ts";

const PROGRAM = new URL("inheritance_program.ts", import.meta.url).pathname;

async function said(mode: string): Promise<string[]> {
  const path = await Deno.makeTempFile({ prefix: "teleport-test-" });
  const [command = "", ...args] = await starter(path);
  const { stdout, stderr } = await new Deno.Command(command, {
    args: [...args, Deno.execPath(), "run", "-q", "-A", PROGRAM, mode],
  }).output();
  await Deno.remove(path);
  const text = new TextDecoder().decode(stdout);
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  return JSON.parse(text) as string[];
}

const WAYS = ["directly", "through one shell", "through two shells"];

Deno.test("nothing of a starter reaches a process after keepFromJobs(), on every way", async () => {
  const all = await said("kept");
  // A niceness above 0 can be lowered by root alone.
  const nice = Deno.uid() === 0 ? 0 : 5 + ownNiceness();
  all.forEach((said, index) => assertApart(said, WAYS[index] ?? "", { nice }));
});

Deno.test("a program without keepFromJobs() keeps from its processes what the launcher can", async () => {
  const all = await said("plain");
  for (const [index, said] of all.entries()) {
    // What only the C library can do: descriptors above 9, and the priority of the disk.
    const own = said.replace(/^\/\S*teleport-test-\S*\n/m, "");
    assertApart(own, WAYS[index] ?? "", { nice: 5 + ownNiceness(), disk: "idle" });
  }
});

/** The niceness of this process, which the starter adds 5 to: proc_pid_stat(5), field 19. */
function ownNiceness(): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}

Deno.test("the keys of the starter's session are none of a process after keepFromJobs()", async (test) => {
  const module = new URL("../../worker/", import.meta.url).href;
  // As in <linux/keyctl.h>: join a session keyring, search one.
  const calls = `
    const arm = Deno.build.arch === "aarch64";
    const numbers = arm ? { add: 217n, keyctl: 219n } : { add: 248n, keyctl: 250n };
    const p = "buffer", i = "i64";
    const { symbols: { add, keyctl } } = Deno.dlopen("libc.so.6", {
      add: { name: "syscall", parameters: [i, p, p, p, i, i], result: i },
      keyctl: { name: "syscall", parameters: [i, i, i, p, p, i], result: i },
    });
    const text = (value) => new TextEncoder().encode(value + "\\0");
    const find = () => keyctl(numbers.keyctl, 10n, -3n, text("user"), text("teleport-test"), 0n) > 0n;
    const put = (name) => add(numbers.add, text("user"), text(name), text("secret"), 6n, -3n) > 0n;
  `;
  const job = `${calls} console.log(JSON.stringify([find(), put("other")]));`;
  const program = `
    import { Process } from "${module}process/process.ts";
    import { keepFromJobs } from "${module}launch/inheritance.ts";
    ${calls}
    const joined = keyctl(numbers.keyctl, 1n, 0n, null, null, 0n) > 0n && put("teleport-test");
    const run = async () => {
      let said = "";
      const output = { append: async (_, chunk) => void (said += new TextDecoder().decode(chunk)) };
      await new Process(Deno.execPath(), ["eval", ${JSON.stringify(job)}], { env: { NO_COLOR: "1" }, output }).start();
      return JSON.parse(said);
    };
    const before = joined ? await run() : undefined;
    if (joined) keepFromJobs();
    console.log(JSON.stringify({ joined, before, after: joined ? await run() : undefined }));
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  const { joined, before, after } = JSON.parse(text);
  if (!joined) {
    return void await test.step({ name: "skipped: no keyrings may be used here", ignore: true, fn: () => {} });
  }
  assert.deepEqual({ before, after }, { before: [true, true], after: [false, false] });
});
