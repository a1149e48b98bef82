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

Deno.test("openServiceManager() returns undefined without a variable for the socket", () => {
  assert.equal(openServiceManager({}), undefined);
  assert.equal(openServiceManager({ NOTIFY_SOCKET: "" }), undefined);
});

Deno.test("notify() returns false when the address cannot be used", () => {
  for (const NOTIFY_SOCKET of ["/", "@", "relative", "vsock:2:1234", `/${"x".repeat(200)}`]) {
    assert.equal(openServiceManager({ NOTIFY_SOCKET })?.notify("READY=1"), false, NOTIFY_SOCKET);
  }
});

Deno.test("notify() takes the longest names of unix(7): a path of 107 bytes, an abstract name of 108", async () => {
  await using dir = await tempDir();
  const isReached = (name: string) => {
    using _ = listenForStates(name);
    return openServiceManager({ NOTIFY_SOCKET: name })?.notify("READY=1");
  };
  assert.equal(isReached(`${dir.path}/`.padEnd(107, "x")), true);
  assert.equal(isReached(`@teleport-test-${crypto.randomUUID()}-`.padEnd(108, "x")), true);
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
