/** Tests for the connection to the database: transactions, errors, and the stored time. */
import assert from "node:assert/strict";
import { RecordDamagedError } from "../../../worker/storage_errors.ts";
import { Connection } from "../../../worker/store/connection.ts";

const seen = (connection: Connection) => connection.statements.meta.get("seen") as { value: number } | undefined;

Deno.test("transaction() stores all writes or none", () => {
  const durations: number[] = [];
  using connection = new Connection(":memory:", { onWrite: (ms) => durations.push(ms) });
  const { addRemoval, removals } = connection.statements;
  connection.transaction(() => addRemoval.run("a"));
  const failure = new Error("The second write fails");
  assert.throws(() =>
    connection.transaction(() => {
      addRemoval.run("b");
      throw failure;
    }), failure);
  assert.deepEqual(removals.all().map(({ id }) => id), ["a"]);
  assert.equal(durations.length, 1);
});

Deno.test("transaction() stores the time only while the clock is trusted", () => {
  let isClockTrusted = false;
  using connection = new Connection(":memory:", { isClockTrusted: () => isClockTrusted });
  connection.transaction(() => {});
  assert.equal(seen(connection), undefined);
  isClockTrusted = true;
  const before = Date.now();
  connection.transaction(() => {});
  assert.ok((seen(connection)?.value ?? 0) >= before);
});

Deno.test("read() reports an error of the decoder as damage", () => {
  using connection = new Connection(":memory:", {});
  assert.throws(() => connection.read(() => JSON.parse("{")), RecordDamagedError);
  assert.equal(connection.read(() => 7), 7);
});
