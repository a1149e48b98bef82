/**
 * sendInput() through outages: no byte is lost and none is sent twice, whenever the connection breaks.
 *
 * Long: the tests share the servers that break.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { joinBytes } from "../../../base/join_bytes.ts";
import { Outages } from "../../../cli/follow/outage.ts";
import { sendInput, type SendInputOptions, type SentInput } from "../../../cli/follow/send_input.ts";
import type { Sent } from "../../../proto/service.ts";
import type { InputRequest, InputResponse } from "../../../proto/teleport/v1/job_worker.ts";
import { ProcessInput } from "../../../worker/process/stdin.ts";
import { running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeStdin } from "../../support/fake_io.ts";
import { someBytes } from "../../support/random.ts";

/** A refusal by the server, with its own code. */
class Refusal extends FakeCallError {
  constructor(status: string, readonly code: string) {
    super(status);
  }
}

/** The moment at which a call breaks off: after a number of messages, before or after they reached the job. */
interface Break {
  readonly after: number;
  /** True when the server handled the request and only its answer was lost. */
  readonly isAnswerLost?: boolean;
}

/** A server with one job that has a real input. Calls to it break off at the given moments. */
class BreakingServer {
  readonly input = new ProcessInput();
  readonly received: Uint8Array[] = [];
  /** The first messages of all calls. */
  readonly asked: Sent<InputRequest>[] = [];
  readonly #breaks: Break[];
  /** How many status calls fail before one is answered. */
  silentStatuses = 0;

  constructor(...breaks: Break[]) {
    this.#breaks = breaks;
    // A copy, because the client uses the memory again.
    this.input.open(new WritableStream({ write: (data) => void this.received.push(new Uint8Array(data)) }));
  }

  get text(): string {
    return new TextDecoder().decode(joinBytes(this.received));
  }

  async Input(messages: AsyncIterable<Sent<InputRequest>>): Promise<InputResponse> {
    const cut = this.#breaks.shift();
    const iterator = messages[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done) throw new Error("No first message");
    this.asked.push(first.value);
    let count = 0;
    const chunks = (async function* () {
      for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
        if (cut !== undefined && !cut.isAnswerLost && count++ >= cut.after) throw new FakeCallError("UNAVAILABLE");
        const { data = new Uint8Array(), end = false } = step.value;
        yield { data: data as Uint8Array, end };
      }
      if (cut !== undefined && !cut.isAnswerLost) throw new FakeCallError("UNAVAILABLE");
    })();
    const { writer = "", offset = 0 } = first.value;
    const { bytes, accepted, closed } = await this.input.accept(chunks, { writer, offset });
    if (cut !== undefined) throw new FakeCallError("UNAVAILABLE", "Connection lost");
    return { input_bytes: bytes, taken_bytes: accepted, input_closed: closed };
  }

  Status() {
    if (this.silentStatuses-- > 0) return Promise.reject(new FakeCallError("UNAVAILABLE"));
    const { bytes, closed } = this.input.state;
    return Promise.resolve({ ...running(), input: true, input_bytes: bytes, input_closed: closed });
  }
}

async function send(
  server: Pick<BreakingServer, "Input" | "Status">,
  stdin: FakeStdin,
  options: Partial<SendInputOptions> = {},
): Promise<SentInput> {
  const outages = new Outages({ note: () => Promise.resolve() });
  await outages.answered();
  const calls = {
    Input: (messages: AsyncIterable<Sent<InputRequest>>) => server.Input(messages),
    Status: () => server.Status(),
  };
  return await sendInput(calls, stdin, { id: "job-1", offset: 0, endsInput: true, outages, ...options });
}

function stdinOf(...chunks: Parameters<FakeStdin["send"]>): FakeStdin {
  const stdin = new FakeStdin();
  stdin.send(...chunks);
  return stdin;
}

Deno.test("sendInput() sends the whole file and ends the input", async () => {
  const server = new BreakingServer();
  const sent = await send(server, stdinOf("a\0", "bc", null));
  assert.deepEqual(sent, { inputBytes: 4, isClosed: true, isWhole: true });
  assert.equal(server.text, "a\0bc");
  assert.equal(server.asked.length, 1);
});

Deno.test("sendInput() sends no data of an empty file, and can leave the input open", async () => {
  const server = new BreakingServer();
  assert.deepEqual(await send(server, stdinOf(null), { endsInput: false }), {
    inputBytes: 0,
    isClosed: false,
    isWhole: true,
  });
  assert.deepEqual(await send(server, stdinOf(null)), { inputBytes: 0, isClosed: true, isWhole: true });
});

Deno.test("sendInput() loses and doubles nothing when a call breaks off after any message", async () => {
  for (let after = 0; after <= 6; after++) {
    for (const isAnswerLost of [false, true]) {
      const server = new BreakingServer({ after, isAnswerLost }, { after: 1 });
      const what = `after ${after}, answer lost: ${isAnswerLost}`;
      const sent = await send(server, stdinOf("one ", "two ", "three ", "four", null));
      assert.deepEqual(sent, { inputBytes: 18, isClosed: true, isWhole: true }, what);
      assert.equal(server.text, "one two three four", what);
    }
  }
});

Deno.test("sendInput() continues with data that arrived during an outage", async () => {
  const server = new BreakingServer({ after: 1 });
  server.silentStatuses = 2;
  const stdin = stdinOf("before ");
  const sending = send(server, stdin);
  // The call breaks off at the second chunk. The chunk was read and must not be lost.
  stdin.send("meanwhile ", "after", null);
  assert.equal((await sending).isWhole, true);
  assert.equal(server.text, "before meanwhile after");
});

/** Returns the offsets of the calls, each of which ends with the chunk that completes 32 MiB. */
function offsetsOf(chunks: readonly Uint8Array[], begin: number): number[] {
  const offsets = [begin];
  let at = begin;
  for (const { length } of chunks) {
    if (at - offsets.at(-1)! >= 32 * 1024 * 1024) offsets.push(at);
    at += length;
  }
  return offsets;
}

Deno.test("sendInput() begins at the offset, and sends long input in several calls", async () => {
  const server = new BreakingServer();
  await server.input.accept((async function* () {
    yield { data: new Uint8Array(3) };
  })());
  const data = someBytes(262_144 + 140);
  const chunks = Array.from({ length: 140 }, (_, at) => data.subarray(at, at + 262_144 - at % 2));
  const sent = await send(server, stdinOf(...chunks, null), { offset: 3 });
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  assert.deepEqual(sent, { inputBytes: 3 + bytes, isClosed: true, isWhole: true });
  assert.deepEqual(server.asked.map(({ offset }) => offset), offsetsOf(chunks, 3));
  assert.ok(Buffer.from(joinBytes(server.received)).equals(joinBytes([new Uint8Array(3), ...chunks])));
  assert.equal(new Set(server.asked.map(({ writer }) => writer)).size, 1);
});

Deno.test("sendInput() bounds the number of kept chunks", async () => {
  const server = new BreakingServer();
  await send(server, stdinOf(...Array.from({ length: 2_000 }, () => "x"), null));
  assert.deepEqual(server.asked.map(({ offset }) => offset), [0, 1_024]);
  assert.equal(server.text, "x".repeat(2_000));
});

Deno.test("sendInput() ends when the job takes no more, even without data to send", async () => {
  const server = new BreakingServer();
  const stdin = stdinOf("taken");
  const sending = send(server, stdin);
  while (server.input.state.bytes < 5) await new Promise((resolve) => setImmediate(resolve));
  server.input.end();
  assert.deepEqual(await sending, { inputBytes: 5, isClosed: true, isWhole: true });
});

Deno.test("sendInput() reports that the job did not take everything", async () => {
  const server = {
    Status: () => Promise.reject(new Error("Not asked")),
    async Input(messages: AsyncIterable<Sent<InputRequest>>) {
      let count = 0;
      for await (const _ of messages) if (++count === 3) break;
      return { input_bytes: 1, taken_bytes: 1, input_closed: true };
    },
  };
  const sent = await send(server as unknown as BreakingServer, stdinOf("a", "b", "c", null));
  assert.deepEqual(sent, { inputBytes: 1, isClosed: true, isWhole: false });
});

Deno.test("sendInput() detects after an outage that the job has ended", async () => {
  const server = new BreakingServer({ after: 1 });
  const stdin = stdinOf("one", "two");
  const sending = send(server, stdin);
  while (server.input.state.bytes < 3) await new Promise((resolve) => setImmediate(resolve));
  server.input.end();
  assert.deepEqual(await sending, { inputBytes: 3, isClosed: true, isWhole: false });
});

Deno.test("sendInput() detects that the job ends right after an outage", async () => {
  const states = [{ input_bytes: 0, input_closed: false }, { input_bytes: 1, input_closed: true }];
  const failures = [new FakeCallError("UNAVAILABLE"), new Refusal("FAILED_PRECONDITION", "JOB_NOT_RUNNING")];
  const server = {
    Status: () => Promise.resolve({ ...running(), ...states.shift() }),
    Input: () => Promise.reject(failures.shift()),
  };
  const sent = await send(server as unknown as BreakingServer, stdinOf("a", null));
  assert.equal(sent.isClosed, true);
});

Deno.test("sendInput() does not retry when waiting does not help", async () => {
  for (const [status, code] of [["FAILED_PRECONDITION", "NO_INPUT"], ["ABORTED", "INPUT_TAKEN_OVER"]] as const) {
    let calls = 0;
    const server = {
      Status: () => Promise.reject(new Error("Not asked")),
      Input: () => {
        calls += 1;
        return Promise.reject(new Refusal(status, code));
      },
    };
    await assert.rejects(
      send(server as unknown as BreakingServer, stdinOf("a")),
      (error) => error instanceof Refusal && error.code === code,
    );
    assert.equal(calls, 1);
  }
});

Deno.test("sendInput() fails when the server counts differently", async () => {
  const server = {
    Status: () => Promise.reject(new Error("Not asked")),
    async Input(messages: AsyncIterable<Sent<InputRequest>>) {
      for await (const _ of messages);
      return { input_bytes: 1, taken_bytes: 1, input_closed: false };
    },
  };
  const chunks = Array.from({ length: 1_025 }, () => "xy");
  await assert.rejects(
    send(server as unknown as BreakingServer, stdinOf(...chunks, null)),
    /up to byte 1, but it was sent/,
  );
});

Deno.test("sendInput() ends the job's input when the standard input cannot be read, and reports the error", async () => {
  const server = new BreakingServer();
  const sent = await send(server, stdinOf("a", new Error("Is a directory")));
  assert.equal(sent.readError?.message, "Cannot read the standard input: Is a directory");
  assert.deepEqual([server.text, sent.isClosed, sent.isWhole], ["a", true, true]);
});

Deno.test("sendInput() throws the reason of a signal that has aborted", async () => {
  const signal = AbortSignal.abort(new Error("left"));
  const server = {
    Status: () => Promise.reject(new Error("Not asked")),
    Input: () => Promise.reject(new FakeCallError("CANCELLED")),
  };
  await assert.rejects(send(server as unknown as BreakingServer, stdinOf("a"), { signal }), /left/);
});

Deno.test("sendInput() throws the reason of a signal that aborts during an outage", async () => {
  const stop = new AbortController();
  const server = new BreakingServer({ after: 0 });
  const away = {
    Input: (messages: AsyncIterable<Sent<InputRequest>>) => server.Input(messages),
    Status: () => {
      stop.abort(new Error("left"));
      return Promise.reject(new FakeCallError("UNAVAILABLE"));
    },
  };
  await assert.rejects(send(away as unknown as BreakingServer, stdinOf("a"), { signal: stop.signal }), /left/);
});
