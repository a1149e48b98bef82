/** Tests of the escapes of unprintable characters. */
import assert from "node:assert/strict";
import { escapeText, jsonLine, UNPRINTABLE } from "../../text/unprintable.ts";

/** Every code point except surrogates. */
function* codePoints(): Generator<string, void, void> {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code < 0xd800 || code > 0xdfff) yield String.fromCodePoint(code);
  }
}

const all = [...codePoints()];
const classes = [/\p{Cc}/u, /\p{Bidi_Control}/u, /\p{Default_Ignorable_Code_Point}/u, /[\u2028\u2029\ufff9-\ufffb]/u];

Deno.test("jsonLine() escapes control, direction and invisible characters, and keeps every value", () => {
  const text = all.join("");
  const json = jsonLine({ text, [text.slice(0, 300)]: 1 });
  for (const one of classes) assert.equal(one.exec(json)?.[0], undefined, `${one}`);
  const { text: back } = JSON.parse(json);
  assert.ok(back === text, "the value is the same for a parser");
});

Deno.test("jsonLine() does not escape other characters", () => {
  const plain = all.filter((character) => !classes.some((one) => one.test(character)) && !'"\\'.includes(character));
  assert.ok(plain.length > 1_000_000);
  assert.ok(jsonLine(plain.join("")) === `"${plain.join("")}"`);
});

Deno.test("jsonLine() escapes the two units of a character above U+FFFF", () => {
  assert.equal(jsonLine("a\u{e0041}\u009b\u007f\u202e"), '"a\\udb40\\udc41\\u009b\\u007f\\u202e"');
});

Deno.test("UNPRINTABLE matches the control, direction and invisible characters of Unicode", () => {
  for (const character of all) {
    const expected = classes.some((one) => one.test(character));
    assert.equal(character.replace(UNPRINTABLE, "") === "", expected, `U+${character.codePointAt(0)?.toString(16)}`);
  }
});

Deno.test("escapeText() keeps line breaks and escapes other unprintable characters", () => {
  const shown = escapeText(all.join(""));
  assert.equal(shown.split("\n").length, 2);
  for (const one of classes) assert.equal(one.exec(shown.replace("\n", ""))?.[0], undefined, `${one}`);
});
