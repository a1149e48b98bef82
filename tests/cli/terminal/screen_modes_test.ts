/** The modes of a screen: what programs set is reset when they are left, and nothing else is written. */
import assert from "node:assert/strict";
import { ScreenModes } from "../../../cli/terminal/screen_modes.ts";

/** Reads a text in chunks of a size. */
function modesOf(text: string, size = 1_000): ScreenModes {
  const modes = new ScreenModes();
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) modes.read(bytes.subarray(at, at + size));
  return modes;
}

const cases: readonly [what: string, written: string, reset: string][] = [
  ["text", "hello\r\nworld", ""],
  ["colours that were reset", "\x1b[1;31mred\x1b[0m\x1b[32mgreen\x1b[m", ""],
  ["a colour", "\x1b[1;31mred", "\x1b[m"],
  ["the alternate screen", "\x1b[?1049h", "\x1b[?1049l"],
  ["a program that has left", "\x1b[?1049h\x1b[?25l\x1b[?25h\x1b[?1049l", ""],
  ["a hidden cursor", "\x1b[?25l", "\x1b[?25h"],
  ["the mouse and paste", "\x1b[?1000;1006h\x1b[?2004h", "\x1b[?1000l\x1b[?1006l\x1b[?2004l"],
  ["vim", "\x1b[?1049h\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h", "\x1b[>4m\x1b>\x1b[?1l\x1b[?2004l\x1b[?1049l"],
  ["less", "\x1b[?1049h\x1b[?1h\x1b=", "\x1b>\x1b[?1l\x1b[?1049l"],
  ["a region of scrolling", "\x1b[2;10r", "\x1b7\x1b[r\x1b8"],
  ["keyboard levels", "\x1b[>1u\x1b[>3u\x1b[<u", "\x1b[<1u"],
  ["line drawing", "\x1b(0qqq", "\x1b(B"],
  ["the form of the cursor", "\x1b[4 q", "\x1b[0 q"],
  ["a reset of the whole", "\x1b[?1049h\x1b[31m\x1bc", ""],
  ["a title that looks like a mode", "\x1b]0;[?1049h\x07", ""],
  ["a title that ends in two bytes", "\x1b]0;x\x1b\\\x1b[?25l", "\x1b[?25h"],
  ["a mode that is unknown", "\x1b[?99999h", ""],
  ["a sequence without an end", "\x1b[" + "1;".repeat(10_000), ""],
];

for (const [what, written, reset] of cases) {
  Deno.test(`ScreenModes resets ${what}`, () => {
    for (const size of [1, 2, 7, 100_000]) assert.equal(modesOf(written, size).resetText(), reset, `chunks of ${size}`);
  });
}

Deno.test("ScreenModes enters the alternate screen before all other modes", () => {
  const modes = modesOf("\x1b[?2004h\x1b[?25l\x1b[?1049h");
  assert.equal(modes.isAlternate, true);
  assert.equal(modes.enterText(), "\x1b[?1049h\x1b[?2004h\x1b[?25l");
  assert.equal(modesOf("hello").enterText(), "");
});
