/** followOutput() through outages: no byte is lost and none comes twice, whenever the connection breaks. */
import assert from "node:assert/strict";
import { followOutput } from "../../../cli/follow/follow_output.ts";
import { OutputMismatchError } from "../../../cli/follow/output_check.ts";
import { Outages } from "../../../cli/follow/outage.ts";
import type { JobOutput } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, outputOf } from "../../support/cli_messages.ts";
import { FakeCallError } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";
import { BreakingServer, chunks, follow, type Request, silent } from "../../support/breaking_output.ts";

const BOUNDARIES = chunks.length + 1;

for (let after = 0; after <= BOUNDARIES - 1; after++) {
  Deno.test(`followOutput() continues when the connection breaks after ${after} of ${BOUNDARIES} messages`, async () => {
    const messages = await outputOf(chunks, exited(0));
    const server = new BreakingServer(messages, [{ after }]);
    assert.deepEqual(await follow(server), messages);
    assert.deepEqual(server.asked.map(({ cursor }) => cursor), [
      undefined,
      after === 0 ? undefined : `c${after - 1}`,
    ]);
  });
}

Deno.test("followOutput() continues when the connection breaks at every boundary in turn", async () => {
  const messages = await outputOf(chunks, exited(0));
  const server = new BreakingServer(messages, chunks.map(() => ({ after: 1 })));
  assert.deepEqual(await follow(server), messages);
  assert.equal(server.asked.length, BOUNDARIES);
});

Deno.test("followOutput() requests messages again that an error overtook", async () => {
  const messages = await outputOf(chunks, exited(0));
  for (let overtaken = 1; overtaken <= 3; overtaken++) {
    const server = new BreakingServer(messages, [{ after: 4, overtaken }]);
    assert.deepEqual(await follow(server), messages);
    assert.equal(server.asked[1]?.cursor, `c${3 - overtaken}`);
  }
});

Deno.test("followOutput() requests the summary again when an error overtook only it", async () => {
  const messages = await outputOf(chunks, exited(0));
  const server = new BreakingServer(messages, [{ after: BOUNDARIES, overtaken: 1 }]);
  assert.deepEqual(await follow(server), messages);
});

Deno.test("followOutput() fails when a resumed stream repeats or omits a chunk", async () => {
  const messages = await outputOf(chunks, exited(0));
  for (const from of [0, 2]) {
    let calls = 0;
    const outages = new Outages(silent);
    await assert.rejects(
      followOutput(
        {
          async *GetOutput() {
            calls += 1;
            if (calls === 1) {
              yield messages[0]!;
              throw new FakeCallError("UNAVAILABLE", "Connection lost");
            }
            // Only the summary shows that the stderr chunk is missing.
            yield* stream(...messages.slice(from));
          },
        },
        { request: { id: "job-1", follow: true }, outages },
        () => Promise.resolve(),
      ),
      (error) => error instanceof OutputMismatchError,
    );
    assert.equal(calls, 2);
  }
});

Deno.test(
  "followOutput() verifies the digest over all calls: it detects an altered byte after the outage",
  async () => {
    const messages = await outputOf(chunks, exited(0));
    const altered = messages.with(2, { ...messages[2]!, data: new TextEncoder().encode("X") });
    await assert.rejects(follow(new BreakingServer(altered, [{ after: 1 }])), /the digest of stdout differs/);
  },
);

Deno.test("followOutput() does not send the beginning again after the first chunk", async () => {
  const messages = await outputOf(chunks, exited(0));
  const until = { seconds: 2_000_000_000, nanos: 0 };
  const server = new BreakingServer(messages, [{ after: 1 }]);
  await follow(server, { tail_lines: 9, since: { seconds: 1, nanos: 0 }, until, stream: "STREAM_STDOUT" });
  const { heartbeat_ms: _, ...again } = server.asked[1]!;
  assert.deepEqual(again, { id: "job-1", follow: true, until, stream: "STREAM_STDOUT", cursor: "c0" });
});

Deno.test("followOutput() does not retry without outages to bridge, nor before the first answer", async () => {
  const messages = await outputOf(chunks, exited(0));
  for (const outages of [undefined, new Outages(silent)]) {
    const server = new BreakingServer(messages, [{ after: 0 }]);
    await assert.rejects(
      followOutput(
        { GetOutput: (request: unknown) => server.GetOutput(request as Request) },
        { request: { id: "job-1", follow: true }, ...(outages && { outages }) },
        () => Promise.resolve(),
      ),
      /Connection lost/,
    );
    assert.equal(server.asked.length, 1);
  }
});

/** A heartbeat with the cursor to resume from. */
function heartbeat(message: JobOutput, cursor: string): JobOutput {
  return { ...message, data: new Uint8Array(), stream: "STREAM_UNSPECIFIED", offset: 0, cursor };
}

Deno.test("followOutput() reports that the server is back at the first heartbeat", async () => {
  const messages = await outputOf(chunks, exited(0));
  const beat = heartbeat(messages[0]!, "");
  const told: string[] = [];
  const toldAtBeat: string[][] = [];
  let calls = 0;
  async function* GetOutput(): AsyncGenerator<JobOutput> {
    calls += 1;
    if (calls === 1) {
      yield* stream(messages[0]!, beat);
      throw new FakeCallError("UNAVAILABLE", "Connection lost");
    }
    yield beat;
    toldAtBeat.push([...told]);
    yield* stream(...messages.slice(1));
  }
  const taken: JobOutput[] = [];
  const outages = new Outages({ note: (text) => Promise.resolve(void told.push(text)) });
  const request = { id: "job-1", follow: true };
  await followOutput({ GetOutput }, { request, outages }, (chunk) => Promise.resolve(void taken.push(chunk)));
  assert.deepEqual(taken, messages);
  assert.deepEqual(toldAtBeat, [["Connection lost: trying again for 2m", "The server is back"]]);
});

for (const selection of [{}, { tail_lines: 0 }, { tail_bytes: 0 }, { since: { seconds: 1, nanos: 0 } }]) {
  const name = JSON.stringify(selection);
  Deno.test(`followOutput() resumes from the first heartbeat when the quiet stream is cut, ${name}`, async () => {
    const [first, end] = await outputOf([["stdout", "written during the outage"]], exited(0));
    const asked: Request[] = [];
    async function* GetOutput(request: unknown): AsyncGenerator<JobOutput> {
      asked.push(request as Request);
      if (asked.length > 1) return yield* stream(first!, end!);
      yield heartbeat(first!, "start");
      throw new FakeCallError("UNAVAILABLE", "Connection lost");
    }
    const taken: JobOutput[] = [];
    const request = { id: "job-1", follow: true, ...selection };
    const outages = new Outages(silent);
    await followOutput({ GetOutput }, { request, outages }, (chunk) => Promise.resolve(void taken.push(chunk)));
    assert.deepEqual(taken, [first, end]);
    const behind = { id: "job-1", follow: true, cursor: "start", heartbeat_ms: 30_000 };
    assert.deepEqual(asked, [{ ...request, heartbeat_ms: 30_000 }, behind]);
  });
}

Deno.test("followOutput() follows after a tail that has data", async () => {
  const [, , c, d, end] = await outputOf(chunks, exited(0));
  for (const selection of [{ tail_lines: 1 }, { tail_bytes: 1 }]) {
    assert.deepEqual(await follow(new BreakingServer([c!, d!, end!], []), selection), [c, d, end]);
  }
});

Deno.test("followOutput() requests a tail again when nothing of it had arrived", async () => {
  const [, last, end] = await outputOf([["stdout", "a\n"], ["stdout", "b\n"]], exited(0));
  const asked: Request[] = [];
  async function* GetOutput(request: unknown): AsyncGenerator<JobOutput> {
    asked.push(request as Request);
    if (asked.length === 1) throw new FakeCallError("UNAVAILABLE", "Connection lost");
    yield* stream(last!, end!);
  }
  const outages = new Outages(silent);
  await outages.answered();
  const taken: JobOutput[] = [];
  const request = { id: "job-1", follow: true, tail_lines: 1 };
  await followOutput({ GetOutput }, { request, outages }, (chunk) => Promise.resolve(void taken.push(chunk)));
  assert.deepEqual(taken, [last, end]);
  assert.deepEqual(asked, [1, 2].map(() => ({ ...request, heartbeat_ms: 30_000 })));
});

Deno.test("followOutput() requests the same moment again after an outage", async () => {
  const [first, end] = await outputOf([["stdout", "a"]], exited(0));
  const ages: (number | undefined)[] = [];
  let firstMs: number | undefined;
  async function* GetOutput(request: unknown): AsyncGenerator<JobOutput> {
    firstMs ??= performance.now();
    ages.push((request as Request).until_age_ms);
    yield first!;
    if (ages.length === 1) throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }
  const request = { id: "job-1", follow: true, until: { seconds: 1, nanos: 0 }, until_age_ms: 1_000 };
  const outages = new Outages(silent);
  const begunMs = performance.now();
  const following = followOutput({ GetOutput }, { request, outages }, () => Promise.resolve());
  await assert.rejects(following, OutputMismatchError);
  assert.equal(end?.end?.stdout_bytes, 1);
  const [before = 0, after = 0] = ages;
  // The first retry comes after 50 ms or later.
  assert.ok(before < 1_040 + firstMs! - begunMs && after >= before + 40, `${ages}`);
});
