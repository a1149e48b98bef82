/** followOutput() of output with gaps, of tails, and of output that ends at a time. */
import assert from "node:assert/strict";
import { followOutput } from "../../../cli/follow/follow_output.ts";
import { Outages } from "../../../cli/follow/outage.ts";
import type { JobOutput } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, outputOf } from "../../support/cli_messages.ts";
import { FakeCallError } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";
import { BreakingServer, chunks, follow, silent } from "../../support/breaking_output.ts";

/** An output of which a limit dropped the beginning: both gaps come with one cursor, as servers send them. */
async function withGaps(): Promise<JobOutput[]> {
  const [a, b, c, d, end] = await outputOf(chunks, exited(0));
  const gap = { data: new Uint8Array(), cursor: "gaps" };
  const gaps = [{ ...a!, ...gap, offset: 3, dropped_bytes: 3 }, { ...b!, ...gap, offset: 2, dropped_bytes: 2 }];
  return [...gaps, c!, d!, end!];
}

for (const after of [1, 2, 3]) {
  Deno.test(`followOutput() passes on each gap once when the connection breaks after ${after} messages`, async () => {
    const messages = await withGaps();
    assert.deepEqual(await follow(new BreakingServer(messages, [{ after }])), messages);
  });
}

Deno.test("followOutput() passes on only the new part of a gap that has grown", async () => {
  const [a, b, c, d, end] = await outputOf(chunks, exited(0));
  const gap = (chunk: JobOutput, offset: number): JobOutput => ({
    ...chunk,
    data: new Uint8Array(),
    cursor: "gap",
    offset,
    dropped_bytes: offset,
  });
  let calls = 0;
  const taken: JobOutput[] = [];
  await followOutput(
    {
      async *GetOutput() {
        calls += 1;
        yield* stream(gap(a!, calls === 1 ? 3 : 4));
        if (calls === 1) throw new FakeCallError("UNAVAILABLE", "Connection lost");
        yield* stream(b!, d!, end!);
      },
    },
    { request: { id: "job-1", follow: true }, outages: new Outages(silent) },
    (chunk) => Promise.resolve(void taken.push(chunk)),
  );
  assert.equal(c!.offset, 3);
  assert.deepEqual(taken.slice(0, 2).map(({ offset, dropped_bytes }) => [offset, dropped_bytes]), [[3, 3], [4, 1]]);
});

Deno.test("followOutput() fails when a gap begins after the received output", async () => {
  const [a, b, , d, end] = await outputOf(chunks, exited(0));
  const late = { ...a!, data: new Uint8Array(), offset: 4, dropped_bytes: 3 };
  await assert.rejects(
    follow(new BreakingServer([late, b!, d!, end!], [])),
    /expected the gap from byte 0, got one from byte 1/,
  );
});

Deno.test("followOutput() detects a missing end of a tail, and accepts a complete one", async () => {
  const [, , c, d, end] = await outputOf(chunks, exited(0));
  const request = { tail_lines: 1 };
  assert.equal((await follow(new BreakingServer([c!, d!, end!], []), request)).length, 3);
  assert.equal((await follow(new BreakingServer([d!, end!], []), request)).length, 2);
  const cut = { ...d!, data: d!.data.subarray(0, 1) };
  await assert.rejects(follow(new BreakingServer([c!, cut, end!], []), request), /to stderr, 3 arrived/);
  const longer = { ...c!, data: new TextEncoder().encode("cc") };
  await assert.rejects(follow(new BreakingServer([longer, d!, end!], []), request), /4 bytes to stdout, 5 arrived/);
});

Deno.test("followOutput() verifies no digest of a tail, because its beginning is missing", async () => {
  const [, , c, d, end] = await outputOf(chunks, exited(0));
  const altered = { ...end!, end: { ...end!.end!, stdout_sha256: new Uint8Array(32) } };
  await follow(new BreakingServer([c!, d!, altered], []), { tail_bytes: 3 });
  const whole = await outputOf(chunks, exited(0));
  await assert.rejects(follow(new BreakingServer([...whole.slice(0, -1), altered], [])), /digest of stdout/);
});

Deno.test("followOutput() accepts output that ends at a time", async () => {
  const [a, , , , end] = await outputOf(chunks, exited(0));
  assert.equal((await follow(new BreakingServer([a!, end!], []), { until: { seconds: 1, nanos: 0 } })).length, 2);
});
