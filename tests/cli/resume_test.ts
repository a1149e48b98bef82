/** Tests of how output is followed through outages: no byte lost, none twice, whatever the moment. */
import assert from "node:assert/strict";
import { followOutput, type FollowOutputOptions } from "../../cli/follow/follow_output.ts";
import { OutputMismatchError } from "../../cli/follow/output_check.ts";
import { Outages } from "../../cli/follow/outage.ts";
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { exited, FakeCallError, outputOf, stream } from "../support/fake_io.ts";

const silent = { note: () => Promise.resolve() };
const pieces: ["stdout" | "stderr", string][] = [["stdout", "a\0b"], ["stderr", "\xff"], ["stdout", "c"], [
  "stderr",
  "de",
]];

type Request = FollowOutputOptions["request"];

/**
 * A server with this output, which breaks each call off after so many messages. grpc-js lets an error overtake messages:
 * of those sent, the last `overtaken` do not arrive.
 */
class BreakingServer {
  readonly asked: Request[] = [];
  readonly #messages: readonly JobOutput[];
  readonly #breaks: { after: number; overtaken: number }[];

  constructor(messages: readonly JobOutput[], breaks: readonly { after: number; overtaken?: number }[]) {
    this.#messages = messages;
    this.#breaks = breaks.map((at) => ({ overtaken: 0, ...at }));
  }

  async *GetOutput(request: Request): AsyncGenerator<JobOutput> {
    this.asked.push(request);
    const from = request.cursor === undefined ? 0 : this.#behind(request.cursor);
    const cut = this.#breaks.shift();
    const sent = this.#messages.slice(from, cut && from + Math.max(0, cut.after - cut.overtaken));
    for (const message of sent) yield await Promise.resolve(message);
    if (cut !== undefined) throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }

  /** Behind the last message with the cursor: two gaps may have the same. */
  #behind(cursor: string): number {
    const index = this.#messages.findLastIndex((message) => message.cursor === cursor);
    if (index < 0) throw new FakeCallError("INVALID_ARGUMENT", `Invalid cursor "${cursor}"`);
    return index + 1;
  }
}

async function follow(server: BreakingServer, request: Partial<Request> = {}): Promise<JobOutput[]> {
  const taken: JobOutput[] = [];
  const outages = new Outages(silent);
  // An outage before anything came is another test's.
  await outages.answered();
  const calls = { GetOutput: (request: unknown) => server.GetOutput(request as Request) };
  const options = { request: { id: "job-1", follow: true, ...request }, outages };
  await followOutput(calls, options, (piece) => {
    taken.push(piece);
    return Promise.resolve();
  });
  return taken;
}

const BOUNDARIES = pieces.length + 1;

for (let after = 0; after <= BOUNDARIES - 1; after++) {
  Deno.test(`followOutput() goes on when the connection breaks after ${after} of ${BOUNDARIES} messages`, async () => {
    const messages = await outputOf(pieces, exited(0));
    const server = new BreakingServer(messages, [{ after }]);
    assert.deepEqual(await follow(server), messages);
    assert.deepEqual(server.asked.map(({ cursor }) => cursor), [
      undefined,
      after === 0 ? undefined : `c${after - 1}`,
    ]);
  });
}

Deno.test("followOutput() goes on when the connection breaks at every boundary, one after the other", async () => {
  const messages = await outputOf(pieces, exited(0));
  const server = new BreakingServer(messages, pieces.map(() => ({ after: 1 })));
  assert.deepEqual(await follow(server), messages);
  assert.equal(server.asked.length, BOUNDARIES);
});

Deno.test("followOutput() makes up for messages that an error has overtaken", async () => {
  const messages = await outputOf(pieces, exited(0));
  for (let overtaken = 1; overtaken <= 3; overtaken++) {
    const server = new BreakingServer(messages, [{ after: 4, overtaken }]);
    assert.deepEqual(await follow(server), messages);
    assert.equal(server.asked[1]?.cursor, `c${3 - overtaken}`);
  }
});

Deno.test("followOutput() asks for the closing record again when an error overtook it alone", async () => {
  const messages = await outputOf(pieces, exited(0));
  const server = new BreakingServer(messages, [{ after: BOUNDARIES, overtaken: 1 }]);
  assert.deepEqual(await follow(server), messages);
});

Deno.test("followOutput() fails when a resumed stream repeats a piece, or leaves one out", async () => {
  const messages = await outputOf(pieces, exited(0));
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
            // With the stderr piece left out, only the end can tell.
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
  "followOutput() proves the digest over all streams together: an altered byte behind the outage shows",
  async () => {
    const messages = await outputOf(pieces, exited(0));
    const altered = messages.with(2, { ...messages[2]!, data: new TextEncoder().encode("X") });
    await assert.rejects(follow(new BreakingServer(altered, [{ after: 1 }])), /the digest of stdout differs/);
  },
);

Deno.test("followOutput() does not ask again where to begin once it has begun", async () => {
  const messages = await outputOf(pieces, exited(0));
  const until = { seconds: 2_000_000_000, nanos: 0 };
  const server = new BreakingServer(messages, [{ after: 1 }]);
  await follow(server, { tail_lines: 9, since: { seconds: 1, nanos: 0 }, until, stream: "STREAM_STDOUT" });
  const { heartbeat_ms: _, ...again } = server.asked[1]!;
  assert.deepEqual(again, { id: "job-1", follow: true, until, stream: "STREAM_STDOUT", cursor: "c0" });
});

Deno.test("followOutput() does not go on without outages to bridge, nor before the first answer", async () => {
  const messages = await outputOf(pieces, exited(0));
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

/** An output of which a limit dropped the beginning: both gaps come with one cursor, as servers send them. */
async function withGaps(): Promise<JobOutput[]> {
  const [a, b, c, d, end] = await outputOf(pieces, exited(0));
  const gap = { data: new Uint8Array(), cursor: "gaps" };
  const gaps = [{ ...a!, ...gap, offset: 3, dropped_bytes: 3 }, { ...b!, ...gap, offset: 2, dropped_bytes: 2 }];
  return [...gaps, c!, d!, end!];
}

for (const after of [1, 2, 3]) {
  Deno.test(`followOutput() tells each gap once when the connection breaks after ${after} messages`, async () => {
    const messages = await withGaps();
    assert.deepEqual(await follow(new BreakingServer(messages, [{ after }])), messages);
  });
}

Deno.test("followOutput() tells of a gap that has grown meanwhile only what is new", async () => {
  const [a, b, c, d, end] = await outputOf(pieces, exited(0));
  const gap = (piece: JobOutput, offset: number): JobOutput => ({
    ...piece,
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
    (piece) => Promise.resolve(void taken.push(piece)),
  );
  assert.equal(c!.offset, 3);
  assert.deepEqual(taken.slice(0, 2).map(({ offset, dropped_bytes }) => [offset, dropped_bytes]), [[3, 3], [4, 1]]);
});

Deno.test("followOutput() fails when a gap begins behind what has come", async () => {
  const [a, b, , d, end] = await outputOf(pieces, exited(0));
  const late = { ...a!, data: new Uint8Array(), offset: 4, dropped_bytes: 3 };
  await assert.rejects(
    follow(new BreakingServer([late, b!, d!, end!], [])),
    /expected the gap from byte 0, got one from byte 1/,
  );
});

Deno.test("followOutput() sees that the end of a tail is missing, and takes a whole one", async () => {
  const [, , c, d, end] = await outputOf(pieces, exited(0));
  const request = { tail_lines: 1 };
  assert.equal((await follow(new BreakingServer([c!, d!, end!], []), request)).length, 3);
  assert.equal((await follow(new BreakingServer([d!, end!], []), request)).length, 2);
  const cut = { ...d!, data: d!.data.subarray(0, 1) };
  await assert.rejects(follow(new BreakingServer([c!, cut, end!], []), request), /to stderr, 3 arrived/);
  const longer = { ...c!, data: new TextEncoder().encode("cc") };
  await assert.rejects(follow(new BreakingServer([longer, d!, end!], []), request), /4 bytes to stdout, 5 arrived/);
});

Deno.test("followOutput() proves no digest of a tail, of which it has no beginning", async () => {
  const [, , c, d, end] = await outputOf(pieces, exited(0));
  const altered = { ...end!, end: { ...end!.end!, stdout_sha256: new Uint8Array(32) } };
  await follow(new BreakingServer([c!, d!, altered], []), { tail_bytes: 3 });
  const whole = await outputOf(pieces, exited(0));
  await assert.rejects(follow(new BreakingServer([...whole.slice(0, -1), altered], [])), /digest of stdout/);
});

Deno.test("followOutput() takes an end that a time sets for what it is", async () => {
  const [a, , , , end] = await outputOf(pieces, exited(0));
  assert.equal((await follow(new BreakingServer([a!, end!], []), { until: { seconds: 1, nanos: 0 } })).length, 2);
});

/** A heartbeat with the cursor to resume from. */
function heartbeat(message: JobOutput, cursor: string): JobOutput {
  return { ...message, data: new Uint8Array(), stream: "STREAM_UNSPECIFIED", offset: 0, cursor };
}

Deno.test("followOutput() tells that the server is back by the first heartbeat", async () => {
  const messages = await outputOf(pieces, exited(0));
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
  await followOutput({ GetOutput }, { request, outages }, (piece) => Promise.resolve(void taken.push(piece)));
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
    await followOutput({ GetOutput }, { request, outages }, (piece) => Promise.resolve(void taken.push(piece)));
    assert.deepEqual(taken, [first, end]);
    const behind = { id: "job-1", follow: true, cursor: "start", heartbeat_ms: 30_000 };
    assert.deepEqual(asked, [{ ...request, heartbeat_ms: 30_000 }, behind]);
  });
}

Deno.test("followOutput() follows after a tail that has data", async () => {
  const [, , c, d, end] = await outputOf(pieces, exited(0));
  for (const selection of [{ tail_lines: 1 }, { tail_bytes: 1 }]) {
    assert.deepEqual(await follow(new BreakingServer([c!, d!, end!], []), selection), [c, d, end]);
  }
});

Deno.test("followOutput() asks anew for a tail of which nothing had come", async () => {
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
  await followOutput({ GetOutput }, { request, outages }, (piece) => Promise.resolve(void taken.push(piece)));
  assert.deepEqual(taken, [last, end]);
  assert.deepEqual(asked, [1, 2].map(() => ({ ...request, heartbeat_ms: 30_000 })));
});

Deno.test("followOutput() means the same moment when it asks again", async () => {
  const [first, end] = await outputOf([["stdout", "a"]], exited(0));
  const ages: (number | undefined)[] = [];
  async function* GetOutput(request: unknown): AsyncGenerator<JobOutput> {
    ages.push((request as Request).until_age_ms);
    yield first!;
    if (ages.length === 1) throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }
  const request = { id: "job-1", follow: true, until: { seconds: 1, nanos: 0 }, until_age_ms: 1_000 };
  const outages = new Outages(silent);
  const following = followOutput({ GetOutput }, { request, outages }, () => Promise.resolve());
  await assert.rejects(following, OutputMismatchError);
  assert.equal(end?.end?.stdout_bytes, 1);
  const [before = 0, after = 0] = ages;
  // The first try again comes after 50 ms at the soonest.
  assert.ok(before < 1_040 && after >= before + 40, `${ages}`);
});
