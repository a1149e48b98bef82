/** Tests of the log of a node host about its link. */
import assert from "node:assert/strict";
import { linkLog } from "../../../teleportd/nodes/link_log.ts";

Deno.test("linkLog() logs a reason once until there is a link", () => {
  const lines: string[] = [];
  const note = linkLog(["a:1", "b:2"], { warn: (line) => lines.push(line) });
  for (let dial = 0; dial < 3; dial++) note(false, "no route");
  note(true);
  note(false, "no route");
  const line = "No link to the gateway at a:1, b:2: no route";
  assert.deepEqual(lines, [line, line]);
});

Deno.test("linkLog() logs few lines for reasons that come in turns, and for links that are lost again and again", () => {
  const lines: string[] = [];
  const note = linkLog(["a:1"], { warn: (line) => lines.push(line) });
  for (let dial = 0; dial < 1_000_000; dial++) note(dial % 3 === 0, `reason ${dial % 2}`);
  assert.ok(lines.length > 16 && lines.length < 40, `${lines.length}`);
});
