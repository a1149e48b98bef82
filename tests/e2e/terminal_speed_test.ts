/**
 * The cost of a terminal: the way of a key to its echo, and the start of a job.
 * Measures: times of a few milliseconds.
 */
import assert from "node:assert/strict";
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { InputRequest } from "../../proto/teleport/v1/job_worker.ts";
import { GrowingText } from "../support/growing_text.ts";
import { startServer } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";

const terminal = { columns: 80, rows: 24 };
const KEYS = 100;
/** The bounds, in milliseconds. */
const MAX_KEY_MS = 5;
const MAX_MORE_MS = 20;
const STARTS = 20;

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

/** Keys that a test presses one by one, in one call of Input. */
class Keyboard {
  #next = Promise.withResolvers<Sent<InputRequest>>();

  async *messages(id: string): AsyncGenerator<Sent<InputRequest>> {
    yield { id };
    while (true) {
      const message = await this.#next.promise;
      this.#next = Promise.withResolvers();
      yield message;
      if (message.end) return;
    }
  }

  press(key: string): void {
    this.#next.resolve({ data: new TextEncoder().encode(key) });
  }

  leave(): void {
    this.#next.resolve({ end: true });
  }
}

async function runTrue(calls: JobWorkerClient, job: object): Promise<number> {
  const before = performance.now();
  const { id } = await calls.Register({ command: "true", ...job });
  let last = "";
  for await (const { state } of calls.Start({ id })) last = state;
  assert.equal(last, "STATE_EXITED");
  return performance.now() - before;
}

Deno.test("the median key is echoed to a watcher in 5 ms", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const script = "stty raw echo; printf ready; cat >/dev/null";
  const { id } = await calls.Register({ command: "sh", args: ["-c", script], terminal });
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  const screen = new GrowingText();
  const followed = (async () => {
    for await (const { data } of calls.GetOutput({ id })) screen.append(new TextDecoder().decode(data));
  })();
  await screen.until("ready");
  const keyboard = new Keyboard();
  const input = calls.Input(keyboard.messages(id));
  const times: number[] = [];
  for (let count = 1; count <= KEYS; count++) {
    const before = performance.now();
    keyboard.press("k");
    await screen.when(() => screen.text.length >= "ready".length + count, `key ${count}`);
    times.push(performance.now() - before);
  }
  keyboard.leave();
  await input;
  await calls.Stop({ id });
  await followed;
  assert.ok(median(times) < MAX_KEY_MS, `The median key took ${median(times)} ms`);
});

Deno.test("a start with a terminal takes at most 20 ms more than one without", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const plain: number[] = [];
  const onTerminal: number[] = [];
  for (let count = 0; count < STARTS; count++) {
    plain.push(await runTrue(client.calls, {}));
    onTerminal.push(await runTrue(client.calls, { terminal }));
  }
  const more = median(onTerminal) - median(plain);
  assert.ok(more < MAX_MORE_MS, `A start with a terminal took ${more} ms more`);
});
