/** Tests that a process does not pass on what it inherited from its starter. */
import assert from "node:assert/strict";
import { assertApart, starter } from "../../support/inheritance_starter.ts";
import { skippedIf } from "../../support/needs.ts";

const PROGRAM = new URL("inheritance_program.ts", import.meta.url).pathname;

/** Returns the output of the probe on each way, in a program with an unusual starter. */
async function probeAll(mode: string): Promise<string[]> {
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

Deno.test("keepFromJobs() keeps everything of the starter from processes, with and without the launcher", async () => {
  const all = await probeAll("kept");
  // Only root can lower a niceness above 0.
  const nice = Deno.uid() === 0 ? 0 : 5 + ownNiceness();
  all.forEach((text, index) => assertApart(text, WAYS[index] ?? "", { nice }));
});

Deno.test("Process.start() resets what the launcher can, without keepFromJobs()", async () => {
  const all = await probeAll("plain");
  for (const [index, text] of all.entries()) {
    // Only keepFromJobs() resets descriptors above 9 and the priority for disks.
    const own = text.replace(/^\/\S*teleport-test-\S*\n/m, "");
    assertApart(own, WAYS[index] ?? "", { nice: 5 + ownNiceness(), disk: "idle" });
  }
});

/** Returns the niceness of this process, to which the starter adds 5: proc_pid_stat(5), field 19. */
function ownNiceness(): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}

Deno.test("keepFromJobs() keeps the keys of the starter's session from processes", async (test) => {
  const module = new URL("../../../worker/", import.meta.url).href;
  // From <linux/keyctl.h>: join a session keyring, search one.
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
    return void await test.step({ ...skippedIf("needs keyrings", "keys"), fn: () => {} });
  }
  assert.deepEqual({ before, after }, { before: [true, true], after: [false, false] });
});
