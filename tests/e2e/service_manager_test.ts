/** The messages of a server to a service manager such as systemd. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import { spawnServer, startServer, teleport } from "../support/programs.ts";
import { listenForStates } from "../support/notify_socket.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("a service manager hears ready, the jobs, signs of life, a reload, and the stop", async () => {
  await using dir = await tempDir();
  using socket = listenForStates(`${dir.path}/notify`);
  const variables = [`NOTIFY_SOCKET=${socket.path}`, "WATCHDOG_USEC=1000000"];
  await using server = await startServer({ starter: ["env", ...variables] });
  assert.equal(await socket.receive(), "READY=1");

  await socket.receiveUntil(/^STATUS=Jobs running: 0, watchers: 0$/);
  assert.equal((await teleport(server, "run", "-d", "sleep", "1000")).code, 0);
  await socket.receiveUntil(/^STATUS=Jobs running: 1, watchers: 0$/);
  await socket.receiveUntil(/^WATCHDOG=1$/);

  server.process.kill("SIGHUP");
  await socket.receiveUntil(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  await socket.receiveUntil(/^READY=1$/);

  assert.equal(await server.stop(), 0);
  await socket.receiveUntil(/^STOPPING=1\nSTATUS=Stopping: jobs are being ended$/);
});

Deno.test("a server serves and warns when its service manager does not listen", async () => {
  await using dir = await tempDir();
  await using server = await startServer({ starter: ["env", `NOTIFY_SOCKET=${dir.path}/none`] });
  assert.equal((await teleport(server, "run", "true")).code, 0);
  await server.says(/^warn Cannot report to the service manager: nothing listens/);
});

Deno.test("teleportd refuses a NOTIFY_SOCKET that is not UTF-8 with a sentence, as other variables", async () => {
  await using dir = await tempDir();
  const starter = ["sh", "-c", 'export NOTIFY_SOCKET="$(printf "/tmp/\\377")"; exec "$@"', "sh"];
  const { process } = spawnServer({ dir: dir.path, starter });
  const { growing: log, ended } = readText(process.stderr);
  assert.equal((await deadline(process.status, "the end of the server")).code, 2);
  await ended;
  assert.match(log.text, /^teleportd: The environment variable NOTIFY_SOCKET is not valid UTF-8/);
});

Deno.test("a job does not learn of the service manager, also with all variables of the server", async () => {
  await using dir = await tempDir();
  using socket = listenForStates(`${dir.path}/notify`);
  const variables = [`NOTIFY_SOCKET=${socket.path}`, "WATCHDOG_USEC=60000000", "LISTEN_FDS=1", "OTHER=seen"];
  await using server = await startServer({ starter: ["env", ...variables], args: ["--inherit-env", "*"] });
  const { stdout } = await teleport(server, "run", "--inherit-env", "env");
  assert.match(stdout, /^OTHER=seen$/m);
  assert.doesNotMatch(stdout, /NOTIFY_SOCKET|WATCHDOG|LISTEN/);
});
