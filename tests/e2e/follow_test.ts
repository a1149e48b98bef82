/** The output of `teleport logs -f` for every selection and every start time. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { runHere } from "./in_process.ts";
import { startServer } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";

/** The output of each stream before the follower starts, and after. */
const PHASES = [
  { name: "no output yet", before: { stdout: "", stderr: "" } },
  { name: "some lines", before: { stdout: "a\nb\nc\n", stderr: "w\nx\n" } },
  { name: "a partial line", before: { stdout: "a\nb\npart", stderr: "w\nxy" } },
] as const;
const LATER = { stdout: "late\n", stderr: "LATE\n" };

/** Gives the last lines of a text, as tail(1) does. */
function lines(text: string, count: number): string {
  const all = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return count === 0 ? "" : all.slice(-count).join("");
}
const whole = (text: string) => text;
const nothing = () => "";

/** The selections of one stream only, because the order of two streams depends on when they were read. */
const SELECTIONS: readonly [args: readonly string[], select: (text: string) => string][] = [
  [[], whole],
  [["-n", "0"], nothing],
  [["-n", "1"], (text) => lines(text, 1)],
  [["-n", "5"], whole],
  [["--tail-bytes", "0"], nothing],
  [["--tail-bytes", "3"], (text) => text.slice(-3)],
  [["--tail-bytes", "100"], whole],
  [["--since", "1h"], whole],
  [["--since", "1h", "-n", "1"], (text) => lines(text, 1)],
];

for (const { name, before } of PHASES) {
  Deno.test(`teleport logs -f prints the selected part and everything after it, with ${name} at first`, async () => {
    await using server = await startServer();
    await using client = await clientOf(server);
    const gate = `${server.dir}/gate`;
    assert.ok((await new Deno.Command("mkfifo", { args: [gate] }).output()).success);
    const script = 'printf "$1"; printf "$2" >&2; read go <"$0"; printf "$3"; printf "$4" >&2';
    const args = ["-c", script, gate, before.stdout, before.stderr, LATER.stdout, LATER.stderr];
    const { id } = await client.calls.Register({ command: "sh", args });
    for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
    // Waits until all of the first output is recorded.
    const firstBytes = before.stdout.length + before.stderr.length;
    let bytes = 0;
    if (firstBytes > 0) {
      for await (const { data } of client.calls.GetOutput({ id })) if ((bytes += data.length) === firstBytes) break;
    }
    const followers = SELECTIONS.flatMap(([args, select]) =>
      (["stdout", "stderr"] as const).map((stream) => ({
        args: [...args, `--${stream}`],
        stream,
        select,
        follower: runHere(server, "logs", "-f", ...args, `--${stream}`, id),
      }))
    );
    const both = runHere(server, "logs", "-f", "-n", "100", id);
    const until = runHere(server, "logs", "-f", "--until", "2099-01-01T00:00:00Z", id);
    const all = [...followers.map(({ follower }) => follower), both, until];
    await deadline(Promise.all(all.map((follower) => follower.answered("GetOutput"))));
    await Deno.writeTextFile(gate, "go\n");
    for (const { args, stream, select, follower } of followers) {
      const { code, ...shown } = await deadline(follower.ended);
      const wanted = { stdout: "", stderr: "", [stream]: select(before[stream]) + LATER[stream] };
      assert.deepEqual({ code, ...shown }, { code: 0, ...wanted }, args.join(" "));
    }
    for (const follower of [both, until]) {
      const wanted = { stdout: before.stdout + LATER.stdout, stderr: before.stderr + LATER.stderr };
      assert.deepEqual(await deadline(follower.ended), { code: 0, ...wanted });
    }
    // After the end of the job, the same selections with and without -f.
    for (const [args, select] of SELECTIONS) {
      for (const follow of [["-f"], []]) {
        const shown = await deadline(runHere(server, "logs", ...follow, ...args, "--stdout", id).ended);
        const wanted = { code: 0, stdout: select(before.stdout + LATER.stdout), stderr: "" };
        assert.deepEqual(shown, wanted, [...follow, ...args].join(" "));
      }
    }
  });
}
