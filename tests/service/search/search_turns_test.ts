/** Searches at the same time: together they take no more of a turn of the event loop than one does. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { OutputChunk, OutputEnd } from "../../../mod.ts";
import { LinePattern } from "../../../service/search/line_pattern.ts";
import { parseSearchCursor } from "../../../service/search/search_cursor.ts";
import { OutputSearch } from "../../../service/search/search_output.ts";

const SEARCHES = 30;
const CHUNKS = 3;

async function* chunks(line: Uint8Array): AsyncGenerator<OutputChunk, OutputEnd, void> {
  for (let index = 0; index < CHUNKS; index++) {
    yield {
      stream: "stdout",
      data: line,
      offset: index * line.length,
      time: new Date(0),
      clockWentBack: false,
      cursor: String(index + 1),
      droppedBytes: 0,
    };
  }
  return { cursor: String(CHUNKS) } as unknown as OutputEnd;
}

Deno.test("searches at the same time continue one in each turn of the event loop", async () => {
  const line = new TextEncoder().encode(`${"ab".repeat(500)}\n`.repeat(16));
  // Each chunk takes longer than a search may work without a pause.
  const pattern = new LinePattern("(?i)[ab]*a[ab]{400}c");
  let inThisTurn = 0;
  let most = 0;
  let isOver = false;
  const endTurn = () => {
    inThisTurn = 0;
    if (!isOver) setImmediate(endTurn);
  };
  endTurn();
  const turn = () => {
    inThisTurn += 1;
    most = Math.max(most, inThisTurn);
    return undefined;
  };
  await Promise.all(Array.from({ length: SEARCHES }, async () => {
    const search = new OutputSearch({ pattern, place: parseSearchCursor(""), turn }).run(chunks(line));
    while (!(await search.next()).done);
  }));
  isOver = true;
  assert.ok(most > 0 && most <= 2, `${most} searches in one turn`);
});
