/** Tests how an input is written over a real socket. */
import assert from "node:assert/strict";
import { InvalidArgumentError } from "../../../../worker/errors.ts";
import { InputBusyError, InputTakenOverError } from "../../../../worker/input_errors.ts";
import { type InputChunk, ProcessInput } from "../../../../worker/process/stdin.ts";
import { deadline, eventually } from "../../../support/deadline.ts";
import { stage } from "./stage.ts";

/** A pipe whose reader a test can hold. */
function pipe() {
  const written: number[] = [];
  let isOpen = true;
  let release = Promise.withResolvers<void>();
  const stream = new WritableStream<Uint8Array>({
    async write(bytes) {
      if (!isOpen) await release.promise;
      for (const byte of bytes) written.push(byte);
    },
  });
  return {
    written,
    stream,
    hold: () => isOpen = false,
    release: () => {
      isOpen = true;
      release.resolve();
      release = Promise.withResolvers();
    },
  };
}

Deno.test("writeInput() asks for one chunk more than the job takes", async () => {
  await using one = await stage();
  const link = await one.link();
  const input = new ProcessInput();
  const { stream, written, hold, release } = pipe();
  input.open(stream);
  one.host.inputs.set("a", input);
  hold();
  const taken: number[] = [];
  let isReturned = false;
  async function* chunks(): AsyncGenerator<InputChunk> {
    try {
      for (let n = 1; n <= 5; n++) {
        taken.push(n);
        yield n === 4 ? {} : { data: Uint8Array.of(n, n) };
      }
      yield { end: true };
    } finally {
      isReturned = true;
    }
  }
  const result = link.writeInput("a", chunks(), { writer: "w", offset: 0 });
  await eventually(() => input.state.bytes === 2, "the first chunk");
  await eventually(() => taken.length === 2, "the chunk after it");
  await link.work(); // A request for another chunk would have come before this answer.
  assert.deepEqual(taken, [1, 2]);
  release();
  assert.deepEqual(await deadline(result), { bytes: 8, closed: true, accepted: 8 });
  assert.deepEqual(written, [1, 1, 2, 2, 3, 3, 5, 5]);
  assert.ok(isReturned);
  await assert.rejects(link.writeInput("a", chunks(), {}), { code: "INPUT_CLOSED" });
});

Deno.test("writeInput() ends with the caller's error, the reason of its signal, or the host's error", async () => {
  await using one = await stage();
  const link = await one.link();
  const input = new ProcessInput();
  input.open(pipe().stream);
  one.host.inputs.set("a", input);
  const broken = new Error("the client has gone");
  const breaking = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(broken) }) };
  await assert.rejects(link.writeInput("a", breaking, {}), broken);
  const abort = new AbortController();
  const endless = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const first = link.writeInput("a", endless, { writer: "w", signal: abort.signal });
  await eventually(() => one.host.calls.length === 2, "the call");
  await assert.rejects(link.writeInput("a", endless, {}), InputBusyError);
  const second = link.writeInput("a", endless, { writer: "w", signal: abort.signal });
  await assert.rejects(deadline(first), InputTakenOverError);
  abort.abort(new Error("the user has gone"));
  await assert.rejects(deadline(second), { message: "the user has gone" });
  await assert.rejects(link.writeInput("a", endless, { signal: abort.signal }), { message: "the user has gone" });
  const tooLarge = async function* () {
    yield { data: new Uint8Array(262_145) };
  };
  await assert.rejects(link.writeInput("a", tooLarge(), {}), InvalidArgumentError);
  const largest = async function* () {
    yield { data: new Uint8Array(262_144), end: true };
  };
  assert.equal((await link.writeInput("a", largest(), {})).accepted, 262_144);
});
