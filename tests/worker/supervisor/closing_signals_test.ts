/** Tests for programs that a signal ends, with and without the option `closeOn`. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";

const MODULE = new URL("../../../mod.ts", import.meta.url).href;

/** Starts a job that prints its process id, and waits for ever. */
function program(options: string, script: string): string {
  return `
    import { Supervisor } from "${MODULE}";
    await using supervisor = new Supervisor(${options});
    const id = await supervisor.add("sh", ["-c", ${JSON.stringify(script)}]);
    await supervisor.start(id);
    for await (const { data } of supervisor.watchOutput(id)) await Deno.stdout.write(data);
    await new Promise(() => {});
  `;
}

/** Runs the program in its own temporary directory, sends the signal, and returns what is left. */
async function ended(options: string, signal: Deno.Signal, script = "echo $$; exec sleep 1000", again = false) {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--ext=ts", "-"],
    env: { TMPDIR: directory },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program(options, script)));
  await writer.close();
  const reader = child.stdout.getReader();
  const said = new TextDecoder().decode((await reader.read()).value);
  child.kill(signal);
  if (again) {
    await reader.read(); // The job prints that it got SIGTERM.
    child.kill(signal);
  }
  const status = await child.status;
  await reader.cancel();
  const pid = Number(said.trim());
  let lives = true;
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    lives = false;
  }
  return { signal: status.signal, lives, left: [...Deno.readDirSync(directory)].map(({ name }) => name) };
}

Deno.test("closeOn stops all jobs and removes the directory, and the program ends by the signal", async () => {
  const closeOn = `{ closeOn: ["SIGINT", "SIGTERM", "SIGHUP"] }`;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    assert.deepEqual(await ended(closeOn, signal), { signal, lives: false, left: [] });
  }
});

Deno.test("closeOn kills the jobs at the second signal", async () => {
  const script = "trap 'echo asked' TERM; echo $$; while :; do sleep 0.05; done";
  const { lives, signal, left } = await ended(
    `{ closeOn: ["SIGTERM"], closeGraceMs: 3_000_000 }`,
    "SIGTERM",
    script,
    true,
  );
  assert.deepEqual([lives, signal, left], [false, "SIGTERM", []]);
});

Deno.test("without closeOn a signal leaves the jobs running", async () => {
  assert.equal((await ended("{}", "SIGTERM")).lives, true);
});
