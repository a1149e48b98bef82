/** `teleport run` advises -it for programs that need a terminal. */
import assert from "node:assert/strict";
import { exited } from "../../support/cli_messages.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";
import { FakeJob } from "../../support/fake_job.ts";

const ADVICE = /^teleport: "(\S+)" may need a terminal: use "teleport run -it"\n$/;

for (
  const [args, isTerminal, program] of [
    [["vi", "x"], true, "vi"],
    [["/usr/bin/less", "x"], true, "/usr/bin/less"],
    [["bash"], true, "bash"],
    [["bash", "x.sh"], true, undefined],
    [["top", "-bn1"], true, undefined],
    [["make"], true, undefined],
    [["vi"], false, undefined],
    [["-d", "vi"], true, undefined],
  ] as const
) {
  const what = program === undefined ? "prints no advice" : "advises -it";
  Deno.test(`teleport run ${args.join(" ")} ${what} when the input is ${isTerminal ? "" : "not "}a terminal`, async () => {
    const job = new FakeJob();
    job.ended.resolve(exited(0));
    const io = new FakeIo(job.calls);
    io.terminal.terminal = isTerminal;
    await teleport(io, "run", ...args);
    assert.equal(ADVICE.exec(io.stderr.text)?.[1], program);
  });
}
