/** Programs of the library that a signal ends, with and without the option that stops their jobs first. */
import assert from "node:assert/strict";

const MODULE = new URL("../../mod.ts", import.meta.url).href;

/** Starts a job that says its process id, and waits for ever. */
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

/** Runs it in a temporary directory of its own until the job says its id, and gives what is left after the signal. */
async function ended(options: string, signal: Deno.Signal, script = "echo $$; exec sleep 1000", again = false) {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  try {
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
      await reader.read(); // The job says that it was asked to end.
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
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a program with closeOn that is ended by a signal leaves no job and no directory, and ends by the signal", async () => {
  const closeOn = `{ closeOn: ["SIGINT", "SIGTERM", "SIGHUP"] }`;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    assert.deepEqual(await ended(closeOn, signal), { signal, lives: false, left: [] });
  }
});

Deno.test("a second signal kills the jobs", async () => {
  const script = "trap 'echo asked' TERM; echo $$; while :; do sleep 0.05; done";
  const { lives, signal, left } = await ended(
    `{ closeOn: ["SIGTERM"], closeGraceMs: 3_000_000 }`,
    "SIGTERM",
    script,
    true,
  );
  assert.deepEqual([lives, signal, left], [false, "SIGTERM", []]);
});

Deno.test("without closeOn a program that is ended by a signal leaves its jobs, as is documented", async () => {
  assert.equal((await ended("{}", "SIGTERM")).lives, true);
});
