/** What is there after the server was killed: every acknowledged job with a true status, its output, and no process. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CallError, connect } from "../../rpc/client.ts";
import { type Server, spawnTeleport, startServer, teleport, teleportOk } from "./programs.ts";

/** The full size is 100. */
const ROUNDS = Number(Deno.env.get("TELEPORT_TEST_KILLS") ?? 5);

async function kill(server: Server): Promise<void> {
  server.process.kill("SIGKILL");
  await server.process.status;
}

/** The jobs of those given that have a living process, by the mark in its environment. */
function living(ids: Iterable<string>): string[] {
  const wanted = new Set(ids);
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      const mark = /TELEPORT_ID=([0-9a-f-]{36})/.exec(Deno.readTextFileSync(`/proc/${name}/environ`));
      return mark?.[1] !== undefined && wanted.has(mark[1]) ? [mark[1]] : [];
    } catch {
      return [];
    }
  });
}

Deno.test("teleport logs -f and watch go on after kill -9 and a restart, with every byte once", async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_e2e_" });
  let server = await startServer({ dir });
  const { address } = server;
  const script = "head -c 3000000 /dev/urandom; echo done >&2";
  const id = await teleportOk(server, "run", "-d", "--", "sh", "-c", script).then((text) => text.trim());
  await teleportOk(server, "wait", id);
  const follower = spawnTeleport(server, "logs", "-f", id);
  const reader = follower.stdout.getReader();
  const hash = createHash("sha256");
  // With one chunk taken and the rest not, the follower stands in the middle.
  const first = await reader.read();
  hash.update(first.value ?? new Uint8Array());
  await kill(server);
  server = await startServer({ dir, listen: address });
  for (let read = await reader.read(); !read.done; read = await reader.read()) hash.update(read.value);
  await new Response(follower.stderr).text();
  assert.equal((await follower.status).code, 0);
  const again = await spawnTeleport(server, "logs", "--stdout", id).output();
  assert.equal(again.stdout.length, 3_000_000);
  assert.equal(hash.digest("hex"), createHash("sha256").update(again.stdout).digest("hex"));
  await server[Symbol.asyncDispose]();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a job that ran when the server was killed is LOST, and its watcher is told", async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_e2e_" });
  let server = await startServer({ dir });
  const { address } = server;
  const script = "trap '' TERM; setsid sleep 1000 & echo up; while :; do sleep 0.01; done";
  const program = spawnTeleport(server, "run", "--", "sh", "-c", script);
  const reader = program.stdout.getReader();
  await reader.read();
  const { id } = JSON.parse(await teleportOk(server, "list", "--output", "json"));
  assert.ok(living([id]).length >= 2);
  await kill(server);
  server = await startServer({ dir, listen: address });
  assert.deepEqual(living([id]), []);
  const told = await new Response(program.stderr).text();
  while (!(await reader.read()).done);
  assert.equal((await program.status).code, 1);
  assert.match(told, /The server is back/);
  assert.match(told, /died while the job ran/);
  assert.match((await teleport(server, "status", id)).stdout, /LOST/);
  assert.equal((await teleport(server, "logs", id)).stdout, "up\n");
  await server[Symbol.asyncDispose]();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a second server on the same data directory is refused at once", async () => {
  await using server = await startServer();
  const second = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "server.ts", "--listen", "127.0.0.1:0", "--certs", `${server.dir}/certs`, "--data"]
      .concat(`${server.dir}/data`),
    cwd: new URL("../..", import.meta.url).pathname,
  }).output();
  assert.equal(second.code, 1);
  assert.match(new TextDecoder().decode(second.stderr), /^teleportd: Another server uses the data directory: /m);
});

/** What a job may be found as after a kill, by what was last acknowledged of it. */
const TRUE_AFTER: Readonly<Record<string, readonly string[]>> = {
  STATE_INITIAL: ["STATE_INITIAL"],
  MAYBE_STARTED: ["STATE_INITIAL", "STATE_LOST", "STATE_EXITED"],
  // The long ones are stopped now and then, and the answer may be lost.
  STATE_RUNNING: ["STATE_LOST", "STATE_EXITED", "STATE_KILLED"],
  STATE_KILLED: ["STATE_KILLED"],
  STATE_EXITED: ["STATE_EXITED"],
  STATE_LOST: ["STATE_LOST"],
};

Deno.test(`after each of ${ROUNDS} kills at a random moment under load every acknowledged job is there, and true`, async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_e2e_" });
  /** What was last acknowledged of each job. */
  const known = new Map<string, string>();
  const removed = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServer({ dir });
    const read = (name: string) => Deno.readTextFileSync(`${dir}/certs/${name}`);
    const credentials = { ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") };
    const client = connect({ address: server.address, credentials });
    const { calls } = client;
    for (const id of removed) await assert.rejects(calls.Status({ id }), CallError);
    for (const [id, state] of known) {
      const now = (await calls.Status({ id })).state;
      const allowed = TRUE_AFTER[state] ?? [];
      assert.ok(allowed.includes(now), `${id}: ${state}, then ${now}`);
      known.set(id, now);
      let bytes = "";
      if (now === "STATE_EXITED") {
        for await (const { data } of calls.GetOutput({ id })) bytes += new TextDecoder().decode(data);
        assert.equal(bytes, "out\n");
      }
    }
    assert.deepEqual(living(known.keys()), []);
    // Load until the kill: each loop registers, starts, waits for some, removes some.
    const load = Array.from({ length: 4 }, async (_, index) => {
      try {
        for (let count = 0;; count++) {
          const long = count % 3 === 2;
          const { id } = await calls.Register({
            command: "sh",
            args: ["-c", long ? "echo out; exec sleep 1000" : "echo out"],
          });
          known.set(id, "STATE_INITIAL");
          if (count % 5 === 4) continue;
          // From the call on it may have been started.
          known.set(id, "MAYBE_STARTED");
          for await (const { state } of calls.Start({ id })) {
            if (state !== "STATE_STARTING") known.set(id, state);
            if (long && state === "STATE_RUNNING") break;
          }
          if (count % 7 === index) {
            if (long) await calls.Stop({ id });
            // From the call on it may be gone.
            known.delete(id);
            await calls.Remove({ id });
            removed.add(id);
          }
        }
      } catch (error) {
        assert.ok(error instanceof CallError);
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 500));
    await kill(server);
    await Promise.all(load);
    await client[Symbol.asyncDispose]();
  }
  assert.ok(known.size > ROUNDS);
  const server = await startServer({ dir });
  assert.equal((await teleport(server, "run", "--", "sh", "-c", "exit 9")).code, 9);
  assert.deepEqual(living(known.keys()), []);
  await server[Symbol.asyncDispose]();
  await Deno.remove(dir, { recursive: true });
});
