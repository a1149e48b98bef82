/** A server on a terminal that closes. Python's module pty makes the terminal. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * Starts the server on a terminal of its own, waits until it serves, and then does what `act` says. It prints how the
 * server ended, or that it lives.
 */
const PROGRAM = `
import os, pty, select, signal, sys, time
act, args = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(args[0], args)
def read_until(wanted, seconds):
    text, deadline = b"", time.time() + seconds
    while wanted not in text and time.time() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            text += os.read(terminal, 65536)
    return wanted in text
served = read_until(b"listening on", 120)
if act == "close":
    os.close(terminal)
if act == "reload":
    os.kill(pid, signal.SIGHUP)
    read_until(b"never said", 1)
ended, deadline = 0, time.time() + (120 if act == "close" else 1)
while ended == 0 and time.time() < deadline:
    ended, status = os.waitpid(pid, os.WNOHANG)
    time.sleep(0.05)
print(served, os.waitstatus_to_exitcode(status) if ended else "lives")
if not ended:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
`;
import { needing } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";

async function onTerminal(act: "close" | "reload"): Promise<string> {
  await using temporary = await tempDir();
  const dir = temporary.path;

  const server = [Deno.execPath(), "run", "--quiet", "-A", "server.ts", "--init-certs", "--listen", "127.0.0.1:0"];
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", PROGRAM, act, ...server, "--certs", `${dir}/certs`, "--data", `${dir}/data`, "--job-host=none"],
    cwd: ROOT,
  }).output();
  return new TextDecoder().decode(stdout).trim() + new TextDecoder().decode(stderr);
}

Deno.test({
  ...needing("pty", "a server whose terminal is closed ends in order"),
  fn: async () => assert.equal(await onTerminal("close"), "True 0"),
});

Deno.test({
  ...needing("pty", "a server on a terminal reloads on SIGHUP, and lives"),
  fn: async () => assert.equal(await onTerminal("reload"), "True lives"),
});
