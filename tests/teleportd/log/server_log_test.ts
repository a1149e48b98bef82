/** The log of the server: levels, the two forms, and what a text cannot do to them. */
import assert from "node:assert/strict";
import { ServerLog, type ServerLogOptions } from "../../../teleportd/log/server_log.ts";

const NOW = new Date("2026-11-29T22:04:05.678Z");

/** A log in memory. */
function logIn(options: ServerLogOptions = {}) {
  const file = {
    text: "",
    isFull: false,
    // deno-lint-ignore require-await -- asynchronous by contract
    async write(bytes: Uint8Array) {
      if (this.isFull) throw new Error("No space left on device");
      this.text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  };
  return { file, log: new ServerLog(file, { now: () => NOW, ...options }) };
}

function logAll(log: ServerLog): void {
  log.error("an error");
  log.warn("a warning");
  log.info("an event");
  log.debug("a detail");
}

Deno.test("ServerLog writes the time, the level and the message of entries from its level up", async () => {
  const time = "2026-11-29T22:04:05.678Z";
  const all = [`${time} error an error`, `${time} warn a warning`, `${time} info an event`, `${time} debug a detail`];
  for (const [index, level] of (["error", "warn", "info", "debug"] as const).entries()) {
    const { file, log } = logIn({ level });
    logAll(log);
    await log.close();
    assert.deepEqual(file.text.trimEnd().split("\n"), all.slice(0, index + 1));
  }
  const { file, log } = logIn();
  logAll(log);
  await log.close();
  assert.equal(file.text.trimEnd().split("\n").length, 3, "the default level is info");
});

Deno.test("ServerLog in the form json writes an object with the fields on one line", async () => {
  const { file, log } = logIn({ format: "json" });
  log.warn("Refused a call", { user: "ann\n\u202e", calls: 100, absent: undefined, level: "error", time: "never" });
  await log.close();
  assert.equal(
    file.text,
    '{"level":"warn","time":"2026-11-29T22:04:05.678Z","message":"Refused a call","user":"ann\\n\\u202e","calls":100}\n',
  );
});

Deno.test("ServerLog.listening() writes the line that programs wait for, at every level", async () => {
  for (const level of ["error", "debug"] as const) {
    const text = logIn({ level });
    text.log.listening("127.0.0.1:50051");
    await text.log.close();
    assert.equal(text.file.text, "listening on 127.0.0.1:50051\n");
    const json = logIn({ level, format: "json" });
    json.log.listening("[::1]:50051");
    await json.log.close();
    assert.deepEqual(JSON.parse(json.file.text), {
      level: "info",
      time: NOW.toISOString(),
      message: "listening on [::1]:50051",
      address: "[::1]:50051",
    });
  }
});

Deno.test("ServerLog escapes control characters, and no text can look like another line", async () => {
  const hostile = "a\u001b[31mb\u009bc\u202ed\r\nlistening on y\u2028z";
  const { file, log } = logIn();
  log.info(hostile);
  await log.close();
  assert.equal(
    file.text,
    "2026-11-29T22:04:05.678Z info a\\u001b[31mb\\u009bc\\u202ed\\u000d\\u000alistening on y\\u2028z\n",
  );
  const json = logIn({ format: "json" });
  json.log.info(hostile);
  await json.log.close();
  assert.equal(json.file.text.trimEnd().split("\n").length, 1);
  // deno-lint-ignore no-control-regex -- exactly these must not be there
  assert.doesNotMatch(json.file.text.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u202e\u2028]/);
  assert.equal(JSON.parse(json.file.text).message, hostile);
});

Deno.test("ServerLog shows the stack of an error on the line of its message", async () => {
  const stack = "Error: no\n    at first (file:///a.ts:1:2)\n    at file:///b.ts:3:4";
  const { file, log } = logIn();
  log.error("Internal error: Error: no", { stack });
  await log.close();
  assert.equal(
    file.text,
    "2026-11-29T22:04:05.678Z error Internal error: Error: no at first (file:///a.ts:1:2) at file:///b.ts:3:4\n",
  );
  const json = logIn({ format: "json" });
  json.log.error("Internal error: Error: no", { stack });
  await json.log.close();
  assert.equal(JSON.parse(json.file.text).stack, stack);
});

Deno.test("ServerLog reports lost lines as a warning in its own form", async () => {
  const json = logIn({ format: "json", level: "error" });
  json.file.isFull = true;
  json.log.error("lost");
  await json.log.close();
  json.file.isFull = false;
  json.log.error("kept");
  await json.log.close();
  const [report, kept] = json.file.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(report, {
    level: "warn",
    time: NOW.toISOString(),
    message: "1 line of this log was lost: No space left on device",
    lost_lines: 1,
    reason: "No space left on device",
  });
  assert.equal(kept.message, "kept");
});

Deno.test("ServerLog cuts a huge text, because a line that is too long would be lost", async () => {
  // Each character becomes six, and the line would have more characters than may wait for a reader.
  const huge = "\u200b".repeat(300_000);
  for (const format of ["text", "json"] as const) {
    const { file, log } = logIn({ format });
    log.error(`Cannot use the policy file: ${huge}`, {
      reason: huge,
      stack: `Error: ${huge}\n    at main (server.ts:1)`,
    });
    await log.close();
    assert.match(file.text, /error.*Cannot use the policy file: \\u200b.*… \(283644 more characters\).*\n$/);
    assert.ok(file.text.length < 400_000, `${file.text.length} characters`);
    if (format === "text") assert.match(file.text, /more characters\) at main \(server\.ts:1\)\n$/);
    else assert.match(JSON.parse(file.text).reason, /^\u200b+… \(283616 more characters\)$/);
  }
});
