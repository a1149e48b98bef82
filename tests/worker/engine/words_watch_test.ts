/** Tests of the questions to an engine. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Engine, EngineWord } from "../../../worker/engine/engine.ts";
import { WordsWatch } from "../../../worker/engine/words_watch.ts";
import { deadline } from "../../support/deadline.ts";
import { FakeTime } from "../../support/fake_time.ts";

/** An engine whose answers a test gives. */
class AskedEngine implements Engine {
  readonly name = "asked";
  asked = 0;
  #next = Promise.withResolvers<void>();
  answer: () => Promise<readonly EngineWord[]> = () => Promise.resolve([]);

  words(): Promise<readonly EngineWord[]> {
    this.asked++;
    this.#next.resolve();
    this.#next = Promise.withResolvers();
    return this.answer();
  }

  /** Resolves at the next question. */
  nextQuestion(): Promise<void> {
    return deadline(this.#next.promise, "a question");
  }

  submit = () => Promise.reject(new Error("not used"));
  find = () => Promise.reject(new Error("not used"));
  cancel = () => Promise.reject(new Error("not used"));
}

Deno.test("WordsWatch asks nothing before it is nudged, and ends when no answer is wanted", async () => {
  const engine = new AskedEngine();
  let wanted = 3;
  const done = Promise.withResolvers<void>();
  const watch = new WordsWatch(engine, {
    wanted: () => wanted-- > 0 || (done.resolve(), false),
    heard: () => watch.nudge(),
    failed: (error) => done.reject(error),
    firstWaitMs: 1,
  });
  assert.equal(engine.asked, 0);
  watch.nudge();
  await deadline(done.promise, "the last question");
  assert.equal(engine.asked, 3);
});

Deno.test("WordsWatch begins again after a nudge", async () => {
  const engine = new AskedEngine();
  let wanted = 1;
  const watch = new WordsWatch(engine, {
    wanted: () => wanted-- > 0,
    heard: () => watch.nudge(),
    failed: () => {},
    firstWaitMs: 1,
  });
  let question = engine.nextQuestion();
  watch.nudge();
  await question;
  wanted = 1;
  question = engine.nextQuestion();
  watch.nudge();
  await question;
  watch.close();
});

Deno.test("WordsWatch reports a question that fails, and asks again", async () => {
  const engine = new AskedEngine();
  engine.answer = () => Promise.reject(new Error("no controller"));
  const errors: unknown[] = [];
  const twice = Promise.withResolvers<void>();
  const watch = new WordsWatch(engine, {
    wanted: () => true,
    heard: () => watch.nudge(),
    failed: (error) => {
      if (errors.push(error) === 2) twice.resolve();
    },
    firstWaitMs: 1,
  });
  watch.nudge();
  await deadline(twice.promise, "two errors");
  watch.close();
  assert.match(String(errors[0]), /no controller/);
});

Deno.test("WordsWatch waits longer while there is no news, and a nudge shortens the wait", async () => {
  const engine = new AskedEngine();
  const watch = new WordsWatch(engine, { wanted: () => true, heard: () => {}, failed: () => {}, firstWaitMs: 10 });
  const startMs = performance.now();
  watch.nudge();
  for (let question = 0; question < 4; question++) await engine.nextQuestion();
  assert.ok(performance.now() - startMs >= 10 + 15 + 22 + 33, "the waits grow by half");
  watch.close();
});

Deno.test("WordsWatch asks when an answer is due, and then less often again", async () => {
  const engine = new AskedEngine();
  const dues = [100, Infinity];
  using time = new FakeTime();
  const watch = new WordsWatch(engine, {
    wanted: () => true,
    dueMs: () => dues[Math.min(engine.asked, 1)] ?? Infinity,
    heard: () => {},
    failed: () => {},
    firstWaitMs: 1_000,
  });
  const pass = async (ms: number) => {
    time.pass(ms);
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    return engine.asked;
  };
  watch.nudge();
  assert.deepEqual([await pass(999), await pass(1)], [0, 1], "the shortest wait comes first");
  dues[1] = 1_200;
  assert.deepEqual([await pass(1_499), await pass(1)], [1, 2]);
  assert.deepEqual([await pass(1_199), await pass(1)], [2, 3], "due before the next wait of 2,250 ms");
  watch.nudge();
  assert.equal(await pass(1_000), 4, "a nudge comes before what is due");
  watch.close();
});

Deno.test("WordsWatch drops an answer that comes after its end", async () => {
  const engine = new AskedEngine();
  const answer = Promise.withResolvers<readonly EngineWord[]>();
  engine.answer = () => answer.promise;
  let heard = 0;
  const watch = new WordsWatch(engine, {
    wanted: () => true,
    heard: () => heard++,
    failed: () => heard++,
    firstWaitMs: 1,
  });
  const question = engine.nextQuestion();
  watch.nudge();
  await question;
  watch.close();
  answer.resolve([]);
  await answer.promise;
  await Promise.resolve();
  watch.nudge();
  assert.equal(heard, 0);
});
