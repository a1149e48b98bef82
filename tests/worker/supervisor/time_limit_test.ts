/**
 * Tests for the time limit of a job.
 * Measures: the delay between the time limit and the end of the job.
 */
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import { finalStatus } from "../../support/final_status.ts";

/** A busy machine may be late once. The test fails when every try is late. */
const TRIES = 5;

for (
  const [script, options, dueMs] of [
    ["exec sleep 1000", { timeoutMs: 300 }, 300],
    ["sleep 1000 & sleep 1000 & wait", { timeoutMs: 300 }, 300],
    ["exec sleep 1000", { timeoutMs: 300, umask: 0, nice: 1 }, 300],
  ] as const
) {
  Deno.test(`start() ends a job within 200 ms of its time limit: ${script}, ${JSON.stringify(options)}`, async () => {
    await using supervisor = new Supervisor();
    const lateMs: number[] = [];
    while (lateMs.length < TRIES && !lateMs.some((ms) => ms <= 200)) {
      const id = await supervisor.add("sh", ["-c", script], options);
      await supervisor.start(id);
      const status = await finalStatus(supervisor, id);
      assert.ok(status.state === "KILLED" && status.reason === "TIMED_OUT");
      const late = status.endedAt!.getTime() - status.startedAt!.getTime() - dueMs;
      assert.ok(late >= -1, `${late} ms`); // Times are whole milliseconds.
      lateMs.push(late);
    }
    assert.ok(lateMs.some((ms) => ms <= 200), `${lateMs} ms late`);
  });
}
