/** The standard input of jobs: exact, also when the connection breaks, and with bounded memory. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readUntil, spawnWithInput, startServer, teleport, teleportOk } from "../support/programs.ts";
import { Proxy } from "./proxy.ts";
import { clientOf, descriptorsBackTo, descriptorsOf, memoryMiB, startUp } from "../support/server_process.ts";
import { Random, seedFor, someBytes } from "../support/random.ts";
import { deadline } from "../support/deadline.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The number of broken connections. The full size is 50 in 200 MB. */
const CUTS = Number(Deno.env.get("TELEPORT_TEST_CUTS") ?? 10);
const BYTES = Number(Deno.env.get("TELEPORT_TEST_CUT_BYTES") ?? 30_000_000);

/** A script that waits for a signal before it reads. */
const READS_ON_USR1 =
  "exec 2>/dev/null; trap go=1 USR1; echo up; while [ -z $go ]; do sleep 0.01; done; exec sha256sum";

Deno.test("teleport run -i sends every byte, ends the job's input at its own end, and exits as the job does", async () => {
  await using server = await startServer();
  const program = spawnWithInput(server, "run", "-i", "--", "sh", "-c", "cat; echo end >&2; exit 7");
  const data = someBytes(65_536);
  const writer = program.stdin.getWriter();
  const sent = (async () => {
    for (let count = 0; count < 100; count++) await writer.write(data.subarray(count));
    await writer.close();
  })();
  const { code, stdout, stderr } = await program.output();
  await sent;
  assert.deepEqual([code, decoder.decode(stderr)], [7, "end\n"]);
  const wanted = createHash("sha256");
  for (let count = 0; count < 100; count++) wanted.update(data.subarray(count));
  assert.equal(createHash("sha256").update(stdout).digest("hex"), wanted.digest("hex"));
});

Deno.test("teleport run -i prints output before its input ends, and forwards SIGINT", async () => {
  await using server = await startServer();
  const script = "trap 'exit 5' INT; echo up; while read -r line; do echo \"$line\"; done";
  const program = spawnWithInput(server, "run", "-i", "--", "sh", "-c", script);
  const writer = program.stdin.getWriter();
  const reader = program.stdout.getReader();
  await readUntil(reader, "up\n");
  await writer.write(encoder.encode("hello\n"));
  await readUntil(reader, "hello\n");
  program.kill("SIGINT");
  assert.equal((await deadline(program.status, "the end of the process")).code, 5);
  await Promise.all([writer.close().catch(() => {}), reader.cancel(), program.stderr.cancel()]);
});

Deno.test("teleport run -i ends with a job that reads only a part of the input", async () => {
  await using server = await startServer();
  const program = spawnWithInput(server, "run", "-i", "--", "sh", "-c", "head -c 5; exit 3");
  const writer = program.stdin.getWriter();
  const endless = (async () => {
    try {
      while (true) await writer.write(encoder.encode("0123456789".repeat(1_000)));
    } catch {
      // EPIPE: the program has ended.
    }
  })();
  const { code, stdout, stderr } = await program.output();
  assert.deepEqual([code, decoder.decode(stdout), decoder.decode(stderr)], [3, "01234", ""]);
  await endless;
});

Deno.test("teleport run without -i sends no input", async () => {
  await using server = await startServer();
  const program = spawnWithInput(server, "run", "--", "sh", "-c", "cat; echo end");
  const writer = program.stdin.getWriter();
  await writer.write(encoder.encode("not for the job"));
  const { code, stdout } = await program.output();
  assert.deepEqual([code, decoder.decode(stdout)], [0, "end\n"]);
  await writer.close().catch(() => {});
});

Deno.test("teleport input continues after the input before it, and ends the input", async () => {
  await using server = await startServer();
  const id = await teleportOk(server, "run", "-d", "-i", "--", "sh", "-c", "cat; exit 7");
  const send = async (text: string, ...args: string[]) => {
    const program = spawnWithInput(server, "input", ...args, id);
    const writer = program.stdin.getWriter();
    await writer.write(encoder.encode(text));
    await writer.close();
    const { code, stderr } = await program.output();
    assert.deepEqual([code, decoder.decode(stderr)], [0, ""]);
  };
  await send("one ", "--keep-open");
  await send("two ", "--keep-open");
  assert.match(await teleportOk(server, "status", id), /^Input: +8 bytes, open$/m);
  await send("three");
  assert.equal((await teleport(server, "wait", id)).code, 7);
  assert.equal(await teleportOk(server, "logs", id), "one two three");
  assert.match(await teleportOk(server, "status", id), /^Input: +13 bytes, closed$/m);
});

Deno.test(`teleport run -i sends every byte once when the connection breaks ${CUTS} times`, async () => {
  await using server = await startServer();
  await using proxy = new Proxy(server.address);
  const random = new Random(seedFor("input_test"));
  let cuts = 0;
  const gap = () => (BYTES / CUTS) * (0.5 + random.next() / 3);
  let next = gap();
  proxy.onBytes = () => {
    if (proxy.sentBytes < next || cuts === CUTS) return;
    cuts += 1;
    next = proxy.sentBytes + gap();
    proxy.cut();
  };
  const program = spawnWithInput({ address: proxy.address, dir: server.dir }, "run", "-i", "--", "sha256sum");
  const hash = createHash("sha256");
  const writer = program.stdin.getWriter();
  const sent = (async () => {
    const data = someBytes(65_536);
    for (let left = BYTES; left > 0; left -= data.length) {
      const chunk = data.slice(0, Math.min(left, data.length));
      chunk[0] = left % 251; // No two are alike, so that a doubled or lost one is seen.
      hash.update(chunk);
      await writer.write(chunk);
    }
    await writer.close();
  })();
  const { code, stdout, stderr } = await program.output();
  assert.equal(code, 0, decoder.decode(stderr));
  await sent;
  assert.equal(decoder.decode(stdout), `${hash.digest("hex")}  -\n`);
  assert.equal(cuts, CUTS);
});

Deno.test("200 MB of input wait at the client while the job does not read, and the server's memory does not grow", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const { id } = await calls.Register({ command: "sh", args: ["-c", READS_ON_USR1], input: true });
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  for await (const _ of calls.GetOutput({ id })) break;
  const before = memoryMiB(server, "VmRSS");
  const data = someBytes(65_536);
  const hash = createHash("sha256");
  let given = 0;
  const sending = calls.Input((async function* () {
    yield { id };
    for (; given < 3_200; given++) {
      hash.update(data);
      yield { data };
    }
    yield { end: true };
  })());
  // When the count does not change for ten calls, nothing more will be sent.
  let last = -1;
  for (let still = 0; still < 10; last = given) {
    await calls.Status({ id });
    still = given === last ? still + 1 : 0;
  }
  // The sum of the pipe, one chunk, one message, and the HTTP/2 window of 1 MiB.
  assert.ok(given * data.length < 2 * 1024 * 1024, `${given * data.length} bytes have left`);
  // Measured: 2 MiB.
  const waiting = memoryMiB(server, "VmHWM") - before;
  assert.ok(waiting < 20, `Grew by ${waiting} MiB while the job did not read`);
  await calls.Signal({ id, signal: "USR1" });
  assert.equal((await sending).input_bytes, 3_200 * data.length);
  const output = await teleportOk(server, "logs", "-f", id);
  assert.equal(output, `up\n${hash.digest("hex")}  -`);
  const grown = memoryMiB(server, "VmHWM") - before;
  // Measured: 90 MiB of garbage between two collections, and the same for 800 MB.
  assert.ok(grown < 160, `Grew by ${grown} MiB`);
});

Deno.test("100 broken input calls leave no descriptor, and the input stays usable", async () => {
  await using server = await startServer();
  await using observer = await clientOf(server);
  const { calls } = observer;
  const { id } = await calls.Register({ command: "cat", input: true });
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  const other = await startUp(calls, "echo up; exec sleep 1000");
  const before = descriptorsOf(server);
  for (let round = 0; round < 100; round++) {
    const client = await clientOf(server);
    const call = client.calls.Input((async function* () {
      yield { id, writer: "ada", offset: round };
      yield { data: encoder.encode("x") };
      await new Promise(() => {}); // Never ends by itself.
    })()).catch(() => {});
    while ((await calls.Status({ id })).input_bytes === round);
    await client[Symbol.asyncDispose]();
    await call;
  }
  const end = await calls.Input((async function* () {
    yield { id, writer: "ada", offset: 100, end: true };
  })());
  assert.deepEqual(end, { input_bytes: 100, taken_bytes: 0, input_closed: true });
  assert.equal(await teleportOk(server, "logs", "-f", id), "x".repeat(100));
  await descriptorsBackTo(server, before);
  await calls.Stop({ id: other });
});
