/** The states that reach a service manager, and the variables that name it. */
import assert from "node:assert/strict";
import { monotonicUs, openServiceManager } from "../../../teleportd/process/service_manager.ts";
import { listenForStates } from "../../support/notify_socket.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("notify() sends a state to the socket at a path", async () => {
  await using dir = await tempDir();
  using socket = listenForStates(`${dir.path}/notify`);
  const manager = openServiceManager({ NOTIFY_SOCKET: socket.path });
  assert.equal(manager?.notify("READY=1\nSTATUS=é"), true);
  assert.equal(await socket.receive(), "READY=1\nSTATUS=é");
});

Deno.test("notify() returns false when nobody listens", async () => {
  await using dir = await tempDir();
  assert.equal(openServiceManager({ NOTIFY_SOCKET: `${dir.path}/none` })?.notify("READY=1"), false);
  assert.equal(
    openServiceManager({ NOTIFY_SOCKET: `@teleport-test-${crypto.randomUUID()}` })?.notify("READY=1"),
    false,
  );
});

Deno.test("openServiceManager() returns undefined without a socket that can be reached", () => {
  const names = ["", "/", "@", "relative", "vsock:2:1234", `/${"x".repeat(200)}`];
  for (const NOTIFY_SOCKET of names) assert.equal(openServiceManager({ NOTIFY_SOCKET }), undefined, NOTIFY_SOCKET);
  assert.equal(openServiceManager({}), undefined);
});

Deno.test("openServiceManager() takes the longest names of unix(7): a path of 107 bytes, an abstract name of 108", () => {
  const canSendTo = (NOTIFY_SOCKET: string) => openServiceManager({ NOTIFY_SOCKET }) !== undefined;
  assert.deepEqual([107, 108].map((bytes) => canSendTo("/".padEnd(bytes, "x"))), [true, false]);
  assert.deepEqual([108, 109].map((bytes) => canSendTo("@".padEnd(bytes, "x"))), [true, false]);
});

Deno.test("openServiceManager() takes half the watchdog time, when it is meant for this process", () => {
  const periodOf = (WATCHDOG_USEC: string, WATCHDOG_PID?: string) =>
    openServiceManager({ NOTIFY_SOCKET: "/x", WATCHDOG_USEC, WATCHDOG_PID }, 42)?.watchdogMs;
  assert.equal(periodOf("60000000"), 30_000);
  assert.equal(periodOf("60000000", "42"), 30_000);
  assert.equal(periodOf("60000000", "43"), undefined);
  assert.equal(periodOf("1"), 100);
  for (const bad of ["", "0", "-5", "soon", "1e400"]) assert.equal(periodOf(bad), undefined, bad);
});

Deno.test("monotonicUs() is the clock of /proc/uptime on a machine that has not slept", () => {
  const uptimeS = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  const seconds = Number(monotonicUs()) / 1e6;
  assert.ok(seconds > 0 && seconds < uptimeS + 1, `${seconds} s, the machine runs for ${uptimeS} s`);
});
