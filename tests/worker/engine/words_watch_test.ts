/** Tests of the questions to an engine. */
import assert from "node:assert/strict";
import type { Engine, EngineWord } from "../../../worker/engine/engine.ts";
import { WordsWatch } from "../../../worker/engine/words_watch.ts";
import { deadline } from "../../support/deadline.ts";

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
