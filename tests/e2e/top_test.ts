/** `teleport top` on a real terminal: it shows jobs, sorts, follows the size, and leaves the screen as it was. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { skippedIf } from "../support/needs.ts";
import { type Server, startServer } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";
import { noTerminal, onTerminal } from "./terminal.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const CLI = [Deno.execPath(), "run", "-q", "-P=cli", "--no-prompt", "cli.ts"];
const onPty = (name: string) => skippedIf(noTerminal, name);

function environment(server: Server): Record<string, string> {
  return { TELEPORT_ADDRESS: server.address, TELEPORT_CERTS: `${server.dir}/certs`, TERM: "xterm", NO_COLOR: "1" };
}

/** Starts a job that prints a line with a control sequence and runs until it is stopped. */
async function startJob(client: Awaited<ReturnType<typeof clientOf>>): Promise<string> {
  const script = "printf 'first\\nhello \\033[2Jworld\\n'; exec sleep 1000";
  const { id } = await client.calls.Register({ command: "sh", args: ["-c", script], labels: { kind: "shown" } });
  for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
  let text = "";
  for await (const { data } of client.calls.GetOutput({ id })) {
    if ((text += new TextDecoder().decode(data)).endsWith("world\n")) break;
  }
  return id;
}

const LEFT = "\x1b[?25h\x1b[?1049l";

for (const [how, code] of [["Ctrl-C", 0], ["SIGTERM", 143]] as const) {
  Deno.test(onPty(`teleport top shows jobs with their last line, and leaves the screen at ${how}`), async () => {
    await using server = await startServer();
    await using client = await clientOf(server);
    const id = await startJob(client);
    const pidFile = `${server.dir}/pid`;
    // A shell sets the terminal to a known state, and reports at the end whether it is the same.
    const script =
      `stty rows 10 cols 60; before=$(stty -g); sh -c 'echo $$ >${pidFile}; exec "$@"' sh "$@"; code=$?; ` +
      '[ "$before" = "$(stty -g)" ] && echo "same terminal, code $code"';
    const program = onTerminal(["sh", "-c", script, "sh", ...CLI, "top", "-l", "kind=shown"], {
      cwd: ROOT,
      env: { ...environment(server), PATH: Deno.env.get("PATH") ?? "" },
    });
    await program.shown("\x1b[?1049h");
    await program.shown("hello world");
    await program.shown(id.slice(0, 13));
    await client.calls.Stop({ id });
    await program.shown("0 jobs");
    if (how === "Ctrl-C") await program.press("ctrl-c");
    else Deno.kill(Number(await Deno.readTextFile(pidFile)), "SIGTERM");
    const { text } = await deadline(program.ended);
    assert.match(text, new RegExp(`same terminal, code ${code}`));
    assert.ok(text.includes(LEFT), text);
  });
}

Deno.test("teleport top prints one table when the output is not a terminal", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const id = await startJob(client);
  const { code, stdout } = await deadline(
    new Deno.Command(CLI[0]!, { args: [...CLI.slice(1), "top"], cwd: ROOT, env: environment(server) }).output(),
  );
  const [head, line] = new TextDecoder().decode(stdout).split("\n");
  assert.equal(code, 0);
  assert.match(head!, /^JOB +STATE +AGE +CPU +MEMORY +COMMAND +LAST LINE$/);
  assert.match(line!, new RegExp(`^${id.slice(0, 13)} +RUNNING .* hello world$`));
});
