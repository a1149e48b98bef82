/** Tests of text/escape_terminal.ts. */
import assert from "node:assert/strict";
import { escapeTerminal, formatCommand } from "../../text/escape_terminal.ts";

Deno.test("escapeTerminal() does not change printable text", () => {
  assert.equal(escapeTerminal("plain text, ä 日本 🚀"), "plain text, ä 日本 🚀");
});

Deno.test("escapeTerminal() escapes control characters", () => {
  assert.equal(escapeTerminal("\x1b[2J\x07\r\n\t\x7f\x9b31m"), "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f\\u009b31m");
});

Deno.test("escapeTerminal() escapes direction marks", () => {
  assert.equal(escapeTerminal("a\u202eb\u2066c"), "a\\u202eb\\u2066c");
});

Deno.test("escapeTerminal() escapes every unsafe character, and no other", () => {
  const steering = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\p{Cs}]/u;
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    const shown = escapeTerminal(character);
    if (shown === character ? steering.test(character) : !steering.test(character) || !/^[ -~]+$/.test(shown)) {
      assert.fail(`U+${code.toString(16)} is shown as ${JSON.stringify(shown)}`);
    }
  }
  assert.equal(escapeTerminal("a\u034fb\u{e0001}c\ud800"), "a\\u034fb\\U000e0001c\\ud800");
});

Deno.test("formatCommand() quotes only arguments that a shell would change", () => {
  assert.equal(
    formatCommand("/bin/sh", ["-c", "echo 'hi' $X", "a=b", ""]),
    `/bin/sh -c 'echo '\\''hi'\\'' $X' a=b ''`,
  );
});

Deno.test("formatCommand() shows control characters as shell escapes", () => {
  assert.equal(formatCommand("printf", ["a\nb'c"]), `printf $'a\\x0ab\\'c'`);
});

Deno.test("formatCommand() shows a backslash before an escape as a backslash", () => {
  assert.equal(formatCommand("printf", ["\\x41\n"]), `printf $'\\\\x41\\x0a'`);
});
