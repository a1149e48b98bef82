/** Tests of aligned columns. */
import { deepStrictEqual, strictEqual } from "node:assert";
import { cellWidth, formatColumns } from "../../text/columns.ts";

Deno.test("cellWidth() counts terminal cells", () => {
  const widths: [string, number][] = [
    ["", 0],
    ["job 1", 5],
    ["é", 1],
    ["e\u0301", 1],
    ["作業", 4],
    ["ｊ", 2],
    ["한국", 4],
    ["✅", 2],
    ["👩‍💻", 2],
    ["❤\ufe0f", 2],
    ["→", 1],
    ["\u200b", 0],
    ["\x1b[32mEXITED\x1b[39m", 6],
  ];
  for (const [text, cells] of widths) strictEqual(cellWidth(text), cells, JSON.stringify(text));
});

Deno.test("formatColumns() aligns columns and trims line ends", () => {
  const text = formatColumns([["ID", "OWNER", "COMMAND"], ["17", "作業", "true"], ["2", "", ""]]);
  deepStrictEqual(text.split("\n"), [
    "ID  OWNER  COMMAND",
    "17  作業   true",
    "2",
  ]);
});

Deno.test("formatColumns() takes the gap and the columns on the right", () => {
  const text = formatColumns([["NAME", "BYTES"], ["log", "7"], ["é", "12345"]], { gap: 3, right: [1] });
  deepStrictEqual(text.split("\n"), [
    "NAME   BYTES",
    "log        7",
    "é      12345",
  ]);
});

Deno.test("formatColumns() leaves colours out of the widths", () => {
  const text = formatColumns([["\x1b[31mKILLED\x1b[39m", "a"], ["EXITED 0", "b"]]);
  deepStrictEqual(text.split("\n"), ["\x1b[31mKILLED\x1b[39m    a", "EXITED 0  b"]);
});

Deno.test("formatColumns() formats rows of different lengths", () => {
  strictEqual(formatColumns([]), "");
  strictEqual(formatColumns([["a"], ["bb", "c"]]), "a\nbb  c");
});
