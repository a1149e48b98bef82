/**
 * A server with many strangers, many clients without a role, and few descriptors.
 * Measures: the time of a call while 2,500 connections are open.
 */
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { eventually } from "../support/deadline.ts";
import { type LatencyWatch, mostP99Ms, startControl } from "../support/latency.ts";
import { needing, skippedIf } from "../support/needs.ts";
import { type Server, startServer, teleport } from "../support/programs.ts";
import { startStrangers } from "./strangers_program.ts";
import { clientOf, descriptorsBackTo, descriptorsOf, memoryMiB } from "../support/server_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The hard limit of open files: the test and its strangers have as many connections as the server. */
const descriptors = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1]);
const tooFew = descriptors < 8_192 ? `needs 8192 open files, the hard limit is ${descriptors}` : undefined;

/** The most milliseconds that a call may take at the 99th percentile on a quiet machine. */
const MAX_P99_MS = 250;

function portOf({ address }: Server): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** Makes a client certificate that grants nothing. */
async function makeEve({ dir }: Server): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "-P=certs",
      "--no-prompt",
      "certs.ts",
      "client",
      "eve",
      "--role",
      "nothing",
      "--dir",
      `${dir}/certs`,
    ],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Gives the milliseconds in which a number of new connections make a call each. */
async function newcomers(server: Server, count: number): Promise<number> {
  const clients = await Promise.all(Array.from({ length: count }, () => clientOf(server)));
  const startedAt = performance.now();
  await Promise.all(clients.map(({ calls }) => calls.List({ page_size: 1 })));
  const tookMs = performance.now() - startedAt;
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  return tookMs;
}

/** Fails where the calls of another client took too long while strangers pressed on the server. */
async function assertServed(latency: LatencyWatch, what: string): Promise<void> {
  const found = await latency.result();
  assert.ok(found.p99Ms < mostP99Ms(MAX_P99_MS, found), `${what}: Status took ${JSON.stringify(found)}`);
}

Deno.test({
  ...skippedIf(tooFew, "teleportd serves users during 2,000 silent connections and 500 idle clients without a role"),
  async fn() {
    await using server = await startServer();
    await using control = await startControl();
    await using client = await clientOf(server);
    const { id } = await client.calls.Register({ command: "true" });
    await makeEve(server);
    const certs = `${server.dir}/certs`;
    const port = portOf(server);
    // The time of this machine without strangers.
    const usualMs = Math.max(await newcomers(server, 100), await newcomers(server, 100));
    const before = descriptorsOf(server);
    const memoryBeforeMiB = memoryMiB(server, "VmRSS");
    for (let round = 0; round < 2; round++) {
      {
        await using latency = control.watch(client, id);
        await using strangers = startStrangers({ port, certs, silent: 2_000, idle: 500 });
        await strangers.ready;
        const tookMs = await newcomers(server, 100);
        assert.ok(tookMs < Math.max(1_000, 2 * usualMs), `${tookMs} ms, ${usualMs} ms without strangers`);
        assert.ok(descriptorsOf(server) - before < 1_500, "not all of them are kept");
        await assertServed(latency, "2,500 strangers");
      }
      await descriptorsBackTo(server, before);
    }
    // After 5,000 strangers the heap of V8 is larger. It grows up to 265 MiB with all handshakes, and then no more.
    const grownMiB = memoryMiB(server, "VmRSS") - memoryBeforeMiB;
    assert.ok(grownMiB < 120, `${grownMiB} MiB more`);
    const lines = server.log().split("\n");
    assert.ok(
      lines.some((line) =>
        /^warn Closed a connection of 127\.0\.0\.1:\d+: it did not start TLS, and \d+ wait/.test(line)
      ),
    );
    assert.ok(
      lines.some((line) => /: clients without a role have \d+ connections, the limit/.test(line)),
      server.log(),
    );
    assert.ok(lines.length < 60, "the log stays short");
  },
});

Deno.test("teleportd serves users during floods of connections that leave, stall or end after TLS", async () => {
  await using server = await startServer();
  await makeEve(server);
  await using control = await startControl();
  await using client = await clientOf(server);
  const { id } = await client.calls.Register({ command: "true" });
  const port = portOf(server);
  const usualMs = await newcomers(server, 20);
  const before = descriptorsOf(server);
  for (const floods of [["LEAVE"], ["HALF"], ["TLS"]] as const) {
    await using latency = control.watch(client, id);
    await using strangers = startStrangers({ port, certs: `${server.dir}/certs`, floods });
    await strangers.ready;
    // This is long enough to measure calls.
    const endsAtMs = performance.now() + 1_500;
    while (performance.now() < endsAtMs) {
      const tookMs = await newcomers(server, 20);
      assert.ok(tookMs < Math.max(2_000, 10 * usualMs), `${floods}: ${tookMs} ms, ${usualMs} ms without`);
    }
    await assertServed(latency, `${floods}`);
  }
  await descriptorsBackTo(server, before);
});

Deno.test("teleportd serves 400 clients of one user that connect at once", async () => {
  await using server = await startServer();
  await newcomers(server, 400);
  assert.doesNotMatch(server.log(), /Closed|Refused/);
});

Deno.test("teleportd with 256 descriptors serves during 500 connections, and logs its limit", async () => {
  await using server = await startServer({ starter: ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"] });
  const before = descriptorsOf(server);
  assert.match(
    server.log(),
    /^info The server accepts at most 96 connections, because this process may open 256 files \(ulimit -n\)$/m,
  );
  const sockets: Socket[] = [];
  for (let count = 0; count < 500; count++) {
    const socket = connectTcp(portOf(server), "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  }
  // The store, the audit log, the log and a job need descriptors.
  const { code, stdout, stderr } = await teleport(server, "run", "sh", "-c", "echo out; echo err >&2");
  assert.deepEqual([code, stdout], [0, "out\n"], stderr);
  assert.match(stderr, /err/);
  assert.match(server.log(), /^warn Closed a connection of .*: it did not start TLS, and 24 wait, the limit/m);
  for (const socket of sockets) socket.destroy();
  await descriptorsBackTo(server, before);
  assert.ok(await newcomers(server, 20) < 5_000);
  await descriptorsBackTo(server, before);
});

Deno.test({
  ...needing(
    "prlimit",
    "teleportd logs once a second that no descriptor is free, and accepts when there is one",
  ),
  async fn() {
    await using server = await startServer();
    const limit = async (max: number | string) => {
      const args = ["--pid", `${server.process.pid}`, `--nofile=${max}:`];
      assert.ok((await new Deno.Command("prlimit", { args }).output()).success);
    };
    const usual = Deno.readTextFileSync(`/proc/${server.process.pid}/limits`).match(/^Max open files\s+(\S+)/m)![1]!;
    // The limit is below the number of open descriptors.
    await limit(3);
    await using client = await clientOf(server);
    const call = client.calls.List({});
    const shortages = () => server.log().match(/no descriptor or memory is left \(EMFILE\)/g)?.length ?? 0;
    await eventually(() => shortages() >= 2, () => `two lines about it in: ${server.log()}`);
    await limit(usual);
    assert.deepEqual((await call).jobs, []);
    assert.match(
      server.log(),
      /^warn Cannot accept a connection: no descriptor or memory is left \(EMFILE\); it waits/m,
    );
    assert.equal((await teleport(server, "run", "true")).code, 0);
  },
});
