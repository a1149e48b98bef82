/** The search in output: every cut into chunks, and every place at which it continues, gives the same lines. */
import assert from "node:assert/strict";
import type { OutputChunk, OutputEnd } from "../../../mod.ts";
import { LinePattern } from "../../../service/search/line_pattern.ts";
import { parseSearchCursor } from "../../../service/search/search_cursor.ts";
import { OutputSearch } from "../../../service/search/search_output.ts";
import { cpuMs } from "../../support/cpu_time.ts";
import { Random, seedFor } from "../../support/random.ts";

type StreamName = OutputChunk["stream"];

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/** A log whose cursors are the numbers of chunks before them. */
function logOf(parts: readonly (readonly [StreamName, string | Uint8Array])[]): OutputChunk[] {
  const offsets = { stdout: 0, stderr: 0 };
  return parts.map(([stream, content], index) => {
    const data = typeof content === "string" ? encoder.encode(content) : content;
    const offset = offsets[stream];
    offsets[stream] += data.length;
    const time = new Date(index);
    return { stream, data, offset, time, clockWentBack: false, cursor: String(index + 1), droppedBytes: 0 };
  });
}

async function* read(log: readonly OutputChunk[], from: number): AsyncGenerator<OutputChunk, OutputEnd, void> {
  yield { ...log[0]!, data: new Uint8Array(), cursor: String(from) };
  yield* log.slice(from);
  return { cursor: String(log.length) } as unknown as OutputEnd;
}

interface Found {
  readonly stream: StreamName;
  readonly offset: number;
  readonly text: string;
  readonly cursor: string;
  readonly time: number;
}

async function search(
  log: readonly OutputChunk[],
  pattern: string | LinePattern,
  { cursor = "" } = {},
): Promise<{ found: Found[]; end: string }> {
  const place = parseSearchCursor(cursor);
  const search = new OutputSearch({
    pattern: typeof pattern === "string" ? new LinePattern(pattern) : pattern,
    place,
  });
  const messages = search.run(read(log, Number(place.cursor)));
  const found: Found[] = [];
  while (true) {
    const { done, value } = await messages.next();
    if (done) return { found, end: value.cursor };
    const { stream, offset, data, cursor, time } = value;
    found.push({ stream, offset, text: decoder.decode(data), cursor, time: time.getTime() });
  }
}

/** Gives the found bytes of a stream by their positions, joined where they touch. */
function joined(found: readonly Found[], stream: StreamName): [number, string][] {
  const parts: [number, string][] = [];
  for (const { offset, text, stream: name } of found) {
    if (name !== stream) continue;
    const last = parts.at(-1);
    if (last !== undefined && last[0] + last[1].length === offset) last[1] += text;
    else parts.push([offset, text]);
  }
  return parts;
}

Deno.test("a search finds whole lines with their positions and times, in each stream of its own", async () => {
  const log = logOf([
    ["stdout", "one error\ntwo\nthr"],
    ["stderr", "error 1\nfine\n"],
    ["stdout", "ee error\nfour\nerror five"],
  ]);
  const { found } = await search(log, "error");
  assert.deepEqual(found.map(({ stream, offset, text, time }) => [stream, offset, text, time]), [
    ["stdout", 0, "one error\n", 0],
    ["stderr", 0, "error 1\n", 1],
    // The line began in the first chunk.
    ["stdout", 14, "three error\n", 0],
    ["stdout", 31, "error five", 2],
  ]);
});

Deno.test("a search treats ^, $, \\A and \\z as the ends of a line, and . as no newline", async () => {
  const log = logOf([["stdout", "ab\nb\nab b\nba\n"]]);
  const texts = async (pattern: string) => (await search(log, pattern)).found.map(({ text }) => text).join("|");
  assert.equal(await texts("^b"), "b\n|ba\n");
  assert.equal(await texts("b$"), "ab\nb\nab b\n");
  assert.equal(await texts("\\Ab\\z"), "b\n");
  assert.equal(await texts("b.b|b\\sb|b\\nb"), "ab b\n");
  assert.equal(await texts("(?-m:^ab$)"), "ab\n");
  assert.equal(await texts("^$"), "");
});

Deno.test("a search continues after every cursor with the next line", async () => {
  const random = new Random(seedFor("search_output"));
  for (let round = 0; round < 60; round++) {
    const parts: [StreamName, string][] = [];
    for (let part = 0; part < 8; part++) {
      const stream = random.next() < 0.6 ? "stdout" : "stderr";
      const size = Math.floor(random.next() * 30);
      const text = Array.from({ length: size + 1 }, () => "xy\n"[Math.floor(random.next() * 3)]!).join("");
      parts.push([stream, text]);
    }
    const log = logOf(parts);
    const { found, end } = await search(log, "xx");
    for (const name of ["stdout", "stderr"] as const) {
      const whole = parts.filter(([stream]) => stream === name).map(([, text]) => text).join("");
      const wanted: Found[] = [];
      for (const match of whole.matchAll(/[^\n]*\n|[^\n]+$/g)) {
        if (match[0].includes("xx")) {
          wanted.push({ stream: name, offset: match.index, text: match[0], cursor: "", time: 0 });
        }
      }
      assert.deepEqual(joined(found, name), joined(wanted, name));
    }
    for (const [index, { cursor }] of found.entries()) {
      const rest = await search(log, "xx", { cursor });
      for (const name of ["stdout", "stderr"] as const) {
        assert.deepEqual(
          joined(rest.found, name),
          joined(found.slice(index + 1), name),
          `round ${round}, cursor ${cursor} of ${JSON.stringify(parts)}`,
        );
      }
    }
    assert.deepEqual((await search(log, "xx", { cursor: end })).found, []);
  }
});

Deno.test("a search compares the first bytes of a long line, and passes on all of it", async () => {
  const pattern = new LinePattern("needle");
  const { maxBytes } = pattern;
  const long = new Uint8Array(3 * maxBytes + 5).fill(120);
  const withNeedle = (at: number) => {
    const line = long.slice();
    line.set(encoder.encode("needle"), at);
    return line;
  };
  for (
    const [at, isFound] of [[10, true], [maxBytes - 6, true], [maxBytes - 3, false], [2 * maxBytes, false]] as const
  ) {
    const line = withNeedle(at);
    // Cut in pieces of several sizes, which touch the bound in several ways.
    for (const size of [1_000, maxBytes - 1, maxBytes, maxBytes + 1, line.length]) {
      const parts: [StreamName, Uint8Array | string][] = [["stdout", "needle first\n"]];
      for (let from = 0; from < line.length; from += size) parts.push(["stdout", line.subarray(from, from + size)]);
      parts.push(["stdout", "\nneedle last\n"]);
      const { found } = await search(logOf(parts), pattern);
      const text = joined(found, "stdout").map(([, text]) => text).join("");
      const wanted = `needle first\n${isFound ? `${decoder.decode(line)}\n` : ""}needle last\n`;
      assert.ok(text === wanted, `needle at ${at}, pieces of ${size}: ${text.length} bytes, not ${wanted.length}`);
      assert.ok(found.every(({ text, cursor }) => text.endsWith("\n") === (cursor !== "")));
    }
  }
});

Deno.test("a search matches bytes that are not UTF-8", async () => {
  const log = logOf([["stdout", new Uint8Array([65, 0xff, 66, 10, 67, 10])]]);
  assert.deepEqual((await search(log, "A.B")).found.map(({ offset }) => offset), [0]);
});

Deno.test("a search reports dropped output, and ends the line before it", async () => {
  const [first, second] = logOf([["stdout", "error in a line that en"], ["stdout", "after\nerror\n"]]);
  const gap = { ...second!, data: new Uint8Array(), offset: 100, droppedBytes: 77, cursor: "gap" };
  const log = [first!, gap, { ...second!, offset: 100 }];
  const { found } = await search(log, "error");
  assert.deepEqual(found.map(({ offset, text }) => [offset, text]), [
    [0, "error in a line that en"],
    [100, ""],
    [106, "error\n"],
  ]);
});

Deno.test("a pattern is refused when RE2 cannot read it, or when it is too large", () => {
  for (
    const [source, message] of [
      ["(", /'grep' must be a regular expression of RE2, got "\(": missing closing \)/],
      ["(?=a)", /invalid or unsupported Perl syntax/],
      ["(a)\\1", /invalid escape sequence/],
      ["a".repeat(1_025), /at most 1024 characters, got 1025/],
      ["(abc){500}", /at most 640 instructions, got \d+: repeat less/],
    ] as const
  ) {
    assert.throws(() => new LinePattern(source), { code: "INVALID_ARGUMENT", message });
  }
  assert.ok(new LinePattern("ERROR", { ignoreCase: true }).matches(encoder.encode("an Error")));
});

Deno.test("a search lets other work run after some milliseconds", async () => {
  const line = `${"ab".repeat(500)}\n`;
  const log = logOf(Array.from({ length: 200 }, () => ["stdout", line.repeat(32)] as [StreamName, string]));
  let turns = 0;
  const turn = () => {
    turns += 1;
    return undefined;
  };
  // One of the slowest patterns.
  const pattern = new LinePattern("(?i)[ab]*a[ab]{400}c");
  const search = new OutputSearch({ pattern, place: parseSearchCursor(""), turn });
  const messages = search.run(read(log.slice(0, 5), 0));
  const beganMs = cpuMs();
  while (!(await messages.next()).done);
  const tookMs = cpuMs() - beganMs;
  assert.ok(turns > tookMs / 100, `${turns} turns in ${tookMs} ms of processor time`);
});
