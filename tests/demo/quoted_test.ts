/** The command lines that the demo shows: a shell takes each of them. */
import assert from "node:assert/strict";
import { quoted } from "./quoted.ts";

const SCRIPTS = [
  `trap : USR1\n(trap "" USR1; exec sleep 1) &\necho "first"\nwait\nexit 7`,
  `sleep 1 &\n  sleep 2 &\nwait`,
  `sh -c 'sleep 1 & echo up; wait' & wait`,
];

for (const script of SCRIPTS) {
  Deno.test(`quoted() shows ${JSON.stringify(script)} as a line that a shell takes`, async () => {
    const line = quoted(script);
    assert.ok(!line.includes("\n") && !/&\s*;/.test(line), line);
    const check = `script=$(printf %s ${line}) && exec sh -n -c "$script"`;
    const { code, stderr } = await new Deno.Command("sh", { args: ["-c", check], stdin: "null" }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  });
}
