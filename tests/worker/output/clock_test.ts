/** Tests for the times of output when the clock steps: times are marked where the clock went back. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { OutputLog } from "../../../worker/output/log.ts";
import type { OutputChunk } from "../../../worker/output/chunk.ts";
import { type OutputSelection, readOutput } from "../../../worker/output/follow.ts";
import { restoreLog } from "../../../worker/output/restore.ts";
import { Supervisor } from "../../../worker/supervisor/supervisor.ts";
import { Random, seedFor } from "../../support/random.ts";
import { tempDir } from "../../support/temp_dir.ts";

const decoder = new TextDecoder();
const never = new AbortController().signal;

/** A time long ago, so every `until` of these tests is in the past. */
const START_MS = 1_700_000_000_000;
const YEAR_2029_MS = 1_861_920_000_000;

/** Runs with a clock that the test sets. */
async function withClock(use: (set: (ms: number) => void) => Promise<void>): Promise<void> {
  const real = Date.now;
  try {
    await use((ms) => Date.now = () => ms);
  } finally {
    Date.now = real;
  }
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const directory = temporary.path;
  await use(directory);
}

/** Writes one line of one digit at each of the times. */
async function written(directory: string, times: readonly number[]): Promise<OutputLog> {
  const log = new OutputLog("job", { directory: join(directory, "job") });
  await withClock(async (set) => {
    for (const [index, time] of times.entries()) {
      set(time);
      await log.append(index % 2 === 0 ? "stdout" : "stderr", new TextEncoder().encode(String(index % 10)));
      await log.flushed();
    }
  });
  return log;
}

async function collect(log: OutputLog, selection: OutputSelection = {}): Promise<OutputChunk[]> {
  const { end } = log;
  return await Array.fromAsync(
    readOutput(log, { follow: false, exact: true, ...selection }, () => end, never, () => {}),
  );
}

function textOf(chunks: readonly OutputChunk[]): string {
  return chunks.map(({ data }) => decoder.decode(data)).join("");
}

Deno.test("append() gives output after a step of the clock its own time, and marks a step back", () =>
  withDirectory(async (directory) => {
    const at = [0, 1_000, -1, -1, 4_000, 5_000].map((ms) => ms < 0 ? YEAR_2029_MS : START_MS + ms);
    const log = await written(directory, at);
    const chunks = await collect(log);
    assert.deepEqual(chunks.map(({ time }) => time.getTime()), at);
    assert.deepEqual(chunks.map(({ clockWentBack }) => clockWentBack), [false, false, false, false, true, false]);
    const since = async (ms: number) => textOf(await collect(log, { since: new Date(START_MS + ms) }));
    const until = async (ms: number) => textOf(await collect(log, { until: new Date(START_MS + ms) }));
    assert.deepEqual([await since(0), await since(1), await since(1_001)], ["012345", "12345", "2345"]);
    assert.deepEqual([await since(4_000), await since(4_001), await since(5_001)], ["2345", "5", ""]);
    assert.deepEqual([await until(-1), await until(0), await until(3_999)], ["", "0", "01"]);
    assert.deepEqual([await until(4_000), await until(4_999), await until(5_000)], ["01234", "01234", "012345"]);
    // The last lines before that time.
    const tail = await collect(log, { tailBytes: 2, until: new Date(START_MS + 4_500) });
    assert.equal(textOf(tail), "34");
    // The chunk is not joined with the previous one, which would lose its time and its mark.
    const joined = await collect(log, { exact: false, stream: "stdout" });
    assert.equal(joined.filter((chunk) => chunk.clockWentBack).length, 1);
    await log.seal();
  }));

Deno.test("since selects nothing older and until leaves out nothing older, with random times and in a restored log", () =>
  withDirectory(async (directory) => {
    const seed = seedFor("clock_test");
    const random = new Random(seed);
    for (let round = 0; round < 12; round++) {
      // Half of the clocks only go forward. The others jump.
      let now = START_MS;
      const times = Array.from({ length: 60 }, () => {
        now += random.below(20) === 0 && round % 2 === 1 ? random.below(20_000) - 10_000 : random.below(300);
        return now;
      });
      const place = join(directory, `${round}`);
      const live = await written(place, times);
      await live.seal();
      const restored = restoreLog("job", { directory: join(place, "job") }, live.end, live.totals());
      for (let count = 0; count < 20; count++) {
        const asked = (times[random.below(times.length)] ?? START_MS) + random.below(3) - 1;
        const first = times.findLastIndex((time) => time < asked) + 1;
        const last = times.findLastIndex((time) => time <= asked) + 1;
        const whole = times.map((_, index) => index % 10).join("");
        for (const log of [live, restored]) {
          const context = `seed ${seed}, round ${round}, ${asked} in ${times}`;
          assert.equal(textOf(await collect(log, { since: new Date(asked) })), whole.slice(first), context);
          assert.equal(textOf(await collect(log, { until: new Date(asked) })), whole.slice(0, last), context);
        }
      }
    }
  }));

Deno.test("watchOutput() ends when `until` has passed, while the job runs", async () => {
  await using supervisor = new Supervisor();
  const scripts = ["exec sleep 1000", "echo up; exec sleep 1000", "while :; do echo line; sleep 0.01; done"];
  const ids = await Promise.all(scripts.map((script) => supervisor.add("sh", ["-c", script])));
  const neverStarted = await supervisor.add("true");
  await Promise.all(ids.map((id) => supervisor.start(id)));
  for (const id of ids.slice(1)) for await (const _ of supervisor.watchOutput(id)) break;
  const until = new Date(Date.now() + 700);
  const ends = await Promise.all([...ids, neverStarted].map(async (id) => {
    const watch = supervisor.watchOutput(id, { until });
    let text = "";
    while (true) {
      const { done, value } = await watch.next();
      if (done) return { text, end: value, atMs: Date.now() };
      assert.ok(value.time <= until, `${value.time.getTime()} after ${until.getTime()}`);
      text += decoder.decode(value.data);
    }
  }));
  for (const { end, atMs } of ends) {
    assert.ok(atMs > until.getTime() && atMs < until.getTime() + 60_000, `${atMs - until.getTime()} ms`);
    assert.match(end.status.state, /RUNNING|INITIAL/);
  }
  assert.deepEqual(ends.map(({ text }) => text.slice(0, 4)), ["", "up\n", "line", ""]);
  // An `until` in the past ends it at once.
  const past = supervisor.watchOutput(ids[1] ?? "", { until: new Date(0) });
  assert.equal((await past.next()).done, true);
});
