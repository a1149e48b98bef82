/**
 * The guard against denoland/deno#36788: with it processes live, and without it they die, or this test proves nothing.
 * Slow: it runs programs that must die without the guard.
 */
import "../../../rpc/compat/http2_guard.ts";
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { DEADLY_WRITES } from "./deadly_writes.ts";
import { serveEcho } from "./guard_programs.ts";

const PROGRAM = new URL("guard_programs.ts", import.meta.url);

interface Program extends AsyncDisposable {
  /** The next line it prints; undefined when it has ended. */
  line(): Promise<string | undefined>;
  tell(byte: number): Promise<void>;
}

function run(...args: string[]): Program {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", PROGRAM.pathname, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const input = child.stdin.getWriter();
  return {
    line: async () => (await output.read()).value?.trim(),
    tell: (byte) => input.write(Uint8Array.of(byte)).catch(() => {}),
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await child.status;
      await output.cancel();
      await input.abort().catch(() => {});
    },
  };
}

/** How many of 25 clients that make 100 calls at once and leave a server outlives. */
async function outlived(...args: string[]): Promise<number> {
  await using server = run("server", ...args);
  const port = await server.line();
  assert(port);
  await using clients = run("bursts", port, "guarded");
  return Number(await clients.line());
}

Deno.test("a guarded server outlives 25 clients that make 100 calls at once and leave", async () => {
  assert.equal(await outlived("guarded"), 25);
});

Deno.test("a server without the guard does not: drop the guard when this fails", async () => {
  // It is a race within the runtime, so one series may by chance lose none.
  for (let times = 0; times < 5; times++) if (await outlived() < 25) return;
  assert.fail("Five servers outlived 25 clients each");
});

/** Has a client of an own process idle while its server goes away. */
async function survivesGoaway(...args: string[]): Promise<boolean> {
  const { server, port } = await serveEcho();
  await using client = run("client", String(port), ...args);
  assert.equal(await client.line(), "idle");
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  await client.tell(1);
  const answer = await client.line();
  if (answer !== undefined) assert.equal(answer, "alive");
  return answer !== undefined;
}

Deno.test("a guarded client outlives a server that goes away", async () => {
  for (let times = 0; times < 5; times++) assert.equal(await survivesGoaway("guarded"), true);
});

Deno.test("a client without the guard does not: drop the guard when this fails", async () => {
  for (let times = 0; times < 25; times++) if (!await survivesGoaway()) return;
  assert.fail("25 clients outlived GOAWAY");
});

/** True when a server outlives 20 connections that write this. */
async function outlivesWrite(frames: readonly Uint8Array[], ...args: string[]): Promise<boolean> {
  await using server = run("server", ...args);
  const port = Number(await server.line());
  for (let times = 0; times < 20; times++) {
    if (!await closedAfter(port, frames)) return false;
  }
  return true;
}

/** Writes and waits until the server closes. False when nobody listens there. */
function closedAfter(port: number, frames: readonly Uint8Array[]): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1", () => {
      socket.end(new Uint8Array(frames.flatMap((bytes) => [...bytes])));
      socket.resume();
    });
    let refused = false;
    socket.on("error", (error) => refused = "code" in error && error.code === "ECONNREFUSED");
    socket.once("close", () => resolve(!refused));
  });
}

for (const [name, frames] of DEADLY_WRITES) {
  Deno.test(`a guarded server outlives ${name}`, async () => {
    assert.equal(await outlivesWrite(frames, "guarded"), true);
  });

  Deno.test(`a server without the guard does not outlive ${name}: drop that part when this fails`, async () => {
    assert.equal(await outlivesWrite(frames), false);
  });
}
