/** The size of a terminal: all changes are joined, the newest wins, and one call is in flight. */
import assert from "node:assert/strict";
import type { TerminalSize } from "../../../cli/io.ts";
import { SizeFollower } from "../../../cli/terminal/size_follower.ts";
import { FakeTerminal } from "../../support/fake_io.ts";

/** Calls that a test answers. */
class Calls {
  readonly sizes: TerminalSize[] = [];
  #answers: PromiseWithResolvers<void>[] = [];

  readonly resize = (size: TerminalSize) => {
    this.sizes.push(size);
    const answer = Promise.withResolvers<void>();
    this.#answers.push(answer);
    return answer.promise;
  };

  get open(): number {
    return this.#answers.length;
  }

  async answer(error?: Error): Promise<void> {
    const answer = this.#answers.shift();
    if (error === undefined) answer?.resolve();
    else answer?.reject(error);
    // The follower continues in microtasks.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

Deno.test("SizeFollower joins a hundred changes: one call is in flight, and the newest size is last", async () => {
  const terminal = new FakeTerminal();
  const calls = new Calls();
  using _sizes = new SizeFollower(terminal, terminal.size(), calls.resize);
  for (let columns = 1; columns <= 100; columns++) {
    terminal.resize(columns, 1);
    assert.equal(calls.open, 1);
  }
  await calls.answer();
  assert.deepEqual(calls.sizes, [{ columns: 1, rows: 1 }, { columns: 100, rows: 1 }]);
  await calls.answer();
  assert.equal(calls.open, 0);
});

Deno.test("SizeFollower sends no size that the job has, and stops when it is disposed of", async () => {
  const terminal = new FakeTerminal();
  const calls = new Calls();
  const sizes = new SizeFollower(terminal, terminal.size(), calls.resize);
  sizes.update();
  terminal.resize(80, 24);
  assert.equal(calls.sizes.length, 0);
  terminal.resize(81, 24);
  sizes[Symbol.dispose]();
  terminal.resize(82, 24);
  await calls.answer();
  assert.deepEqual(calls.sizes, [{ columns: 81, rows: 24 }]);
  assert.equal(terminal.listening, 0);
});

for (const [rows, between] of [[24, 23], [1, 2]] as const) {
  Deno.test(`SizeFollower redraws ${rows} rows by another size and the right one`, async () => {
    const terminal = new FakeTerminal();
    terminal.rows = rows;
    const calls = new Calls();
    using sizes = new SizeFollower(terminal, terminal.size(), calls.resize);
    sizes.redraw();
    await calls.answer();
    await calls.answer();
    assert.deepEqual(calls.sizes.map((size) => size.rows), [between, rows]);
  });
}

Deno.test("SizeFollower tries the next change after a call that failed", async () => {
  const terminal = new FakeTerminal();
  const calls = new Calls();
  using _sizes = new SizeFollower(terminal, terminal.size(), calls.resize);
  terminal.resize(1, 1);
  await calls.answer(new Error("refused"));
  terminal.resize(2, 2);
  assert.deepEqual(calls.sizes.at(-1), { columns: 2, rows: 2 });
});
