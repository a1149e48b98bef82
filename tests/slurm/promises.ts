/** The promises that hold for a job on this machine and for one on a node of Slurm, seen through the command line. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { deadline, eventually } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import { type Server, spawnTeleport, spawnWithInput, teleport, teleportOk } from "../support/programs.ts";
import { living, livingAtLeast } from "../support/server_process.ts";

/** The bytes of each stream of the exact test. */
const STREAM_BYTES = 60_000_000;

/** A server that is killed and started again. */
export interface World {
  server: Server;
  /** Kills the server, and starts the next one at its address. */
  restart(): Promise<void>;
}

/** Checks each promise in a step. */
export async function promiseSteps(t: Deno.TestContext, world: World): Promise<void> {
  const statusLine = async (id: string, name: string) =>
    new RegExp(`^${name}: +(.*)$`, "m").exec(await teleportOk(world.server, "status", id))?.[1];
  const register = (...args: string[]) => teleportOk(world.server, "register", ...args);
  const runs = async (script: string) => {
    const id = await teleportOk(world.server, "run", "-d", "sh", "-c", script);
    const output = spawnTeleport(world.server, "logs", "-f", id);
    const { growing } = readText(output.stdout);
    await growing.until("up\n");
    output.kill("SIGKILL");
    await Promise.all([output.status, output.stderr.cancel()]);
    return id;
  };

  await t.step("the four ends of a job are distinguished", async () => {
    const run = async (name: string, ...args: string[]) => {
      const { code, stderr } = await teleport(world.server, "run", "--name", name, ...args);
      return { code, stderr, state: await statusLine(name, "State") };
    };
    const [seven, killed, exited, overdue] = await Promise.all([
      run("seven", "sh", "-c", "exit 7"),
      run("killed", "sh", "-c", "kill $$"),
      run("exited", "sh", "-c", "exit 143"),
      run("overdue", "--timeout", "500ms", "sleep", "600"),
    ]);
    assert.deepEqual(seven, { code: 7, stderr: "", state: "EXITED 7" });
    assert.deepEqual(killed, { code: 143, stderr: "", state: "KILLED SIGTERM" });
    assert.deepEqual(exited, { code: 143, stderr: "", state: "EXITED 143" });
    assert.deepEqual([overdue.code, overdue.state], [124, "KILLED SIGTERM (timed out)"]);
    assert.match(overdue.stderr, /was ended: timed out/);
  });

  await t.step("watchers before the start, during the run and after the end get the same bytes", async () => {
    const id = await register("-i", "sh", "-c", "echo first; echo second >&2; read line; echo $line");
    const early = teleport(world.server, "logs", "-f", id);
    const started = spawnTeleport(world.server, "start", id);
    const { growing: states } = readText(started.stdout);
    const failure = readText(started.stderr);
    await states.until("RUNNING");
    const during = teleport(world.server, "logs", "-f", id);
    const input = spawnWithInput(world.server, "input", id);
    const writer = input.stdin.getWriter();
    await writer.write(new TextEncoder().encode("third\n"));
    await writer.close();
    const sent = await deadline(input.output(), "the end of the input");
    assert.equal(sent.code, 0, new TextDecoder().decode(sent.stderr));
    assert.equal((await started.status).code, 0, failure.growing.text);
    const wanted = { code: 0, stdout: "first\nthird\n", stderr: "second\n" };
    assert.deepEqual(await Promise.all([early, during, teleport(world.server, "logs", id)]), [wanted, wanted, wanted]);
  });

  await t.step("an input arrives exactly", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    const child = spawnWithInput(world.server, "run", "-i", "sha256sum");
    const writer = child.stdin.getWriter();
    const hash = createHash("sha256");
    for (let part = 0; part < 64; part++) {
      hash.update(bytes);
      await writer.write(bytes);
    }
    await writer.close();
    const { code, stdout } = await deadline(child.output(), "the end of the job");
    assert.equal(code, 0);
    assert.equal(new TextDecoder().decode(stdout), `${hash.digest("hex")}  -\n`);
  });

  await t.step("a stop ends what ignores SIGTERM and what has left the session", async () => {
    const id = await runs(
      `trap "" TERM; setsid sleep 600 & setsid sh -c 'trap "" TERM; sleep 600' & echo up; sleep 600 & wait; wait`,
    );
    await livingAtLeast(id, 5);
    assert.equal(
      await teleportOk(world.server, "stop", "--grace", "300ms", id),
      `${id} KILLED SIGKILL (stopped by admin)`,
    );
    assert.deepEqual(living(id), []);
  });

  await t.step("a paused job does nothing until it is resumed", async () => {
    const id = await runs("echo up; n=0; while :; do n=$((n + 1)); echo $n; sleep 0.05; done");
    await teleportOk(world.server, "pause", id);
    assert.match(await statusLine(id, "State") ?? "", /^RUNNING, pid \d+ \(paused by admin\)$/);
    // Its last lines may arrive a moment later. A job that runs writes 20 lines a second.
    let before: string;
    let logs = "";
    await eventually(async () => {
      before = logs;
      logs = await teleportOk(world.server, "logs", id);
      return logs === before;
    }, "the end of the output");
    await teleportOk(world.server, "resume", id);
    await eventually(async () => await teleportOk(world.server, "logs", id) !== logs, "more output");
    await teleportOk(world.server, "kill", id);
    assert.equal(await statusLine(id, "State"), "KILLED SIGKILL");
  });

  await t.step("both streams are exact for a watcher through a kill of the server", async () => {
    const bytes = STREAM_BYTES / 6;
    const script = `head -c ${bytes} /dev/urandom >"$0"
for i in 1 2 3 4 5 6; do cat "$0" & cat "$0" >&2; wait; sleep 0.3; done`;
    const source = `${world.server.dir}/random`;
    const id = await register("sh", "-c", script, source);
    const watcher = spawnTeleport(world.server, "logs", "-f", id);
    const parts: [Uint8Array[], Uint8Array[]] = [[], []];
    let size = 0;
    const reading = [watcher.stdout, watcher.stderr].map(async (stream, at) => {
      for await (const data of stream) {
        parts[at]?.push(data);
        size += data.length;
      }
    });
    const starting = spawnTeleport(world.server, "start", id);
    const startEnd = starting.output();
    await eventually(() => size > STREAM_BYTES / 3, "a part of the output");
    await world.restart();
    const [{ code }] = await deadline(Promise.all([watcher.status, startEnd, ...reading]), "the end of the output");
    assert.equal(code, 0);
    const wanted = createHash("sha256");
    const random = await Deno.readFile(source);
    for (let i = 0; i < 6; i++) wanted.update(random);
    const digest = wanted.digest("hex");
    for (const [at, data] of parts.entries()) {
      const got = withoutNotes(Buffer.concat(data));
      const of = at === 0 ? "stdout" : "stderr";
      assert.deepEqual([of, got.length, sha256(got)], [of, STREAM_BYTES, digest]);
    }
    assert.equal(await statusLine(id, "State"), "EXITED 0");
  });
}

/** Removes the notes of the command line itself, such as the one about the server that does not answer. */
function withoutNotes(bytes: Buffer): Buffer {
  const at = bytes.indexOf("teleport: ");
  if (at === -1) return bytes;
  const end = bytes.indexOf("\n", at) + 1;
  return Buffer.concat([bytes.subarray(0, at), withoutNotes(bytes.subarray(end))]);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
