/**
 * Tests of rpc/compat/http2_guard.ts, also against denoland/deno#36788: guarded processes survive, and others end.
 * Slow: it runs programs that end without the guard.
 */
import "../../../rpc/compat/http2_guard.ts";
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { DEADLY_WRITES } from "./deadly_writes.ts";
import { serveEcho } from "./guard_programs.ts";
import { deadline } from "../../support/deadline.ts";

const PROGRAM = new URL("guard_programs.ts", import.meta.url);

interface Program extends AsyncDisposable {
  /** Returns the next line it prints. Undefined when it has ended. */
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
    line: async () => (await deadline(output.read(), "output")).value?.trim(),
    tell: (byte) => input.write(Uint8Array.of(byte)).catch(() => {}),
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await deadline(child.status, "the end of the process");
      await output.cancel();
      await input.abort().catch(() => {});
    },
  };
}

/** Returns how many clients a server survives, of 25 that make 100 calls at once and leave. */
async function survived(...args: string[]): Promise<number> {
  await using server = run("server", ...args);
  const port = await server.line();
  assert(port);
  await using clients = run("bursts", port, "guarded");
  return Number(await clients.line());
}

Deno.test("deferClosing() lets a server survive 25 clients that make 100 calls at once and leave", async () => {
  assert.equal(await survived("guarded"), 25);
});

Deno.test("deferClosing() is still needed because such clients crash a server without it", async () => {
  // The crash is a race in the runtime, so a single series may pass.
  for (let times = 0; times < 5; times++) if (await survived() < 25) return;
  assert.fail("Five servers survived 25 clients each");
});

/** Returns the output of the program whose listener of a stream throws. Undefined when it ended. */
async function statusAfterThrow(...args: string[]): Promise<string | undefined> {
  await using program = run("throwing", ...args);
  return await program.line();
}

Deno.test("guardEmitter() lets a server survive a listener of a stream that throws", async () => {
  assert.equal(await statusAfterThrow("guarded"), "200");
});

Deno.test("guardEmitter() is still needed because an error of a listener ends the process", async () => {
  assert.equal(await statusAfterThrow(), undefined);
});

/** Returns whether a client in another process survives the GOAWAY of its server. */
async function survivesGoaway(...args: string[]): Promise<boolean> {
  const { server, port } = await serveEcho();
  await using client = run("client", String(port), ...args);
  assert.equal(await client.line(), "idle");
  await deadline(new Promise<void>((resolve) => server.tryShutdown(() => resolve())));
  await client.tell(1);
  const answer = await client.line();
  if (answer !== undefined) assert.equal(answer, "alive");
  return answer !== undefined;
}

Deno.test("deferClosingWhileReading() lets a client survive the GOAWAY of its server", async () => {
  for (let times = 0; times < 5; times++) assert.equal(await survivesGoaway("guarded"), true);
});

Deno.test("deferClosingWhileReading() is still needed because GOAWAY crashes a client without it", async () => {
  for (let times = 0; times < 25; times++) if (!await survivesGoaway()) return;
  assert.fail("25 clients survived GOAWAY");
});

/** Returns whether a server survives 20 connections with these frames. */
async function survivesWrite(frames: readonly Uint8Array[], ...args: string[]): Promise<boolean> {
  await using server = run("server", ...args);
  const port = Number(await server.line());
  for (let times = 0; times < 20; times++) {
    if (!await closedAfter(port, frames)) return false;
  }
  return true;
}

/** Writes, and waits until the server closes. Returns false when nothing listens there. */
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
  Deno.test(`deferClosing() lets a server survive ${name}`, async () => {
    assert.equal(await survivesWrite(frames, "guarded"), true);
  });

  Deno.test(`deferClosing() is still needed because a server crashes after ${name}`, async () => {
    assert.equal(await survivesWrite(frames), false);
  });
}
