/**
 * 300 jobs started and ended at once: server and job host have no child, zombie or descriptor left.
 * Measures: 300 processes at once.
 */
import assert from "node:assert/strict";
import { startServer } from "../support/programs.ts";
import {
  clientOf,
  descriptorsBackTo,
  descriptorsOf,
  jobChildrenOf,
  jobProcessesOf,
  living,
} from "../support/server_process.ts";

const JOBS = 300;

Deno.test(`teleportd has no child, zombie or descriptor left after ${JOBS} jobs at once`, async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;

  /** Registers, starts, feeds and reads a job that leaves a child. */
  async function run(index: number): Promise<string> {
    const script = `read -r line; echo "$line"; sleep 1000 & exit ${index % 100}`;
    const { id } = await calls.Register({ command: "sh", args: ["-c", script], input: true });
    const statuses = calls.Start({ id })[Symbol.asyncIterator]();
    while ((await statuses.next()).value?.state !== "STATE_RUNNING");
    const sent = new TextEncoder().encode(`line ${index}\n`);
    await calls.Input((async function* () {
      yield { id, data: sent, end: true };
    })());
    let text = "";
    let code: number | undefined;
    for await (const { data, end } of calls.GetOutput({ id })) {
      text += new TextDecoder().decode(data);
      if (end !== null) code = end.status?.exit_code;
    }
    assert.deepEqual([text, code], [`line ${index}\n`, index % 100]);
    while (!(await statuses.next()).done);
    return id;
  }

  const warm = await run(0);
  const before = descriptorsOf(server);
  const [pid = 0] = await jobProcessesOf(server);
  const host = { process: { pid } };
  const hostBefore = descriptorsOf(host);
  const ids = await Promise.all(Array.from({ length: JOBS }, (_, index) => run(index)));
  assert.deepEqual(await jobChildrenOf(server), []);
  for (const id of ids) assert.deepEqual(living(id), []);
  await descriptorsBackTo(server, before);
  await descriptorsBackTo(host, hostBefore);

  const { jobs } = await calls.List({ page_size: 1_000 });
  assert.deepEqual(new Set(jobs.map(({ id }) => id)), new Set([warm, ...ids]));
  for (const { state, others_ended, input_bytes, stdout_bytes } of jobs) {
    assert.equal(state, "STATE_EXITED");
    assert.deepEqual([others_ended, stdout_bytes], [1, input_bytes]);
  }
});
