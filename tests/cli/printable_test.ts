/** Tests of cli/printable.ts. */
import assert from "node:assert/strict";
import { printable, printableCommand } from "../../cli/printable.ts";

Deno.test("printable() leaves text alone, also beyond ASCII", () => {
  assert.equal(printable("plain text, ä 日本 🚀"), "plain text, ä 日本 🚀");
});

Deno.test("printable() escapes what steers a terminal", () => {
  assert.equal(printable("\x1b[2J\x07\r\n\t\x7f\x9b31m"), "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f\\x9b31m");
});

Deno.test("printable() escapes marks that turn the reading direction", () => {
  assert.equal(printable("a\u202eb\u2066c"), "a\\u202eb\\u2066c");
});

Deno.test("printableCommand() quotes an argument only where a shell would need it", () => {
  assert.equal(
    printableCommand("/bin/sh", ["-c", "echo 'hi' $X", "a=b", ""]),
    `/bin/sh -c 'echo '\\''hi'\\'' $X' a=b ''`,
  );
});

Deno.test("printableCommand() shows control characters as the shell's escapes", () => {
  assert.equal(printableCommand("printf", ["a\nb'c"]), `printf $'a\\x0ab\\'c'`);
});

Deno.test("printableCommand() shows a backslash before an escape as a backslash", () => {
  assert.equal(printableCommand("printf", ["\\x41\n"]), `printf $'\\\\x41\\x0a'`);
});
