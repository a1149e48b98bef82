/** Keys: they are read while nobody takes them, and one reader after the other gets them. */
import assert from "node:assert/strict";
import { DetachFilter } from "../../../cli/terminal/detach_filter.ts";
import { parseDetachKeys } from "../../../cli/terminal/detach_keys.ts";
import { KeyInput } from "../../../cli/terminal/key_input.ts";
import { deadline } from "../../support/deadline.ts";
import { FakeStdin } from "../../support/fake_io.ts";

Deno.test("KeyInput finds the keys that leave while nobody reads, and still gives the keys before them", async () => {
  const stdin = new FakeStdin();
  const left = Promise.withResolvers<void>();
  const keys = new KeyInput(stdin, new DetachFilter(parseDetachKeys("ctrl-p,ctrl-q")), left.resolve);
  stdin.send("ls\r", "\x10", "\x11later");
  await deadline(left.promise);
  using lease = keys.lease();
  const buffer = new Uint8Array(100);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, await lease.read(buffer) ?? 0)), "ls\r");
  assert.equal(await lease.read(buffer), null);
  assert.ok(keys.isOver);
});

Deno.test("KeyInput gives a lease that has ended no key, and the next one all", async () => {
  const stdin = new FakeStdin();
  const keys = new KeyInput(stdin, undefined, () => {});
  const buffer = new Uint8Array(100);
  const first = keys.lease();
  const pending = first.read(buffer);
  first[Symbol.dispose]();
  assert.equal(await pending, null);
  stdin.send("a", null);
  using second = keys.lease();
  assert.equal(await second.read(buffer), 1);
});

Deno.test("KeyInput.whenTyped() ends with its signal, because a job may end while nobody types", async () => {
  const stdin = new FakeStdin();
  const keys = new KeyInput(stdin, undefined, () => {});
  const over = new AbortController();
  const typed = keys.whenTyped(over.signal);
  over.abort();
  await deadline(typed);
  stdin.send(null);
});
