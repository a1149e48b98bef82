/** Tests of text/decoded.ts, and of invalid UTF-8 in the arguments and variables of each program. */
import assert from "node:assert/strict";
import { checkArguments, checkVariable, NotUtf8Error, readVariable } from "../../text/decoded.ts";

Deno.test("checkArguments() accepts valid text and refuses replaced bytes", () => {
  checkArguments([]);
  checkArguments(["", "é", "日本 🚀", "\\xff"]);
  assert.throws(
    () => checkArguments(["a", "b\ufffd"]),
    (error) => error instanceof NotUtf8Error && error.message.startsWith('The argument "b\ufffd" is not valid UTF-8'),
  );
});

Deno.test("readVariable() and checkVariable() refuse an invalid variable at its use", () => {
  const invalid = () => {
    throw new Deno.errors.InvalidData("x");
  };
  assert.throws(
    () => checkVariable("HOME", readVariable(invalid, "HOME")),
    /^NotUtf8Error: The environment variable HOME/,
  );
  assert.equal(checkVariable("HOME", readVariable(() => "/é", "HOME")), "/é");
  assert.equal(checkVariable("HOME", readVariable(() => undefined, "HOME")), undefined);
  const other = new TypeError("x");
  assert.throws(
    () =>
      readVariable(() => {
        throw other;
      }, "HOME"),
    other,
  );
});

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs a shell line, in which $DENO is this runtime. Only a shell can pass invalid bytes. */
async function shell(line: string): Promise<{ code: number; stderr: string }> {
  // Where the runtime keeps its modules must not hang on HOME, which these tests change.
  const { denoDir } = JSON.parse(
    new TextDecoder().decode((await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output()).stdout),
  );
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", line],
    cwd: ROOT,
    env: { DENO: Deno.execPath(), DENO_DIR: denoDir, NO_COLOR: "1", XDG_CONFIG_HOME: "", TELEPORT_CERTS: "" },
    stdout: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

const TELEPORT = '"$DENO" run -q -P=cli --no-prompt cli.ts';
const CERTS = '"$DENO" run -q -P=certs --no-prompt certs.ts';
const TELEPORTD = '"$DENO" run -q -A server.ts';
const BAD = `"$(printf 'a\\377')"`;

for (
  const [line, code, sentence] of [
    [`${TELEPORT} run printf %s ${BAD}`, 2, /^teleport: The argument "a\ufffd" is not valid UTF-8/],
    [`${TELEPORT} --certs ${BAD} list`, 2, /^teleport: The argument "a\ufffd" is not valid UTF-8/],
    [`HOME=${BAD} ${TELEPORT} list`, 2, /^teleport: The environment variable HOME is not valid UTF-8/],
    [`HOME=${BAD} NO_COLOR=${BAD} TERM=${BAD} ${TELEPORT} --help`, 0, /^$/],
    [`${CERTS} init --dir ${BAD}`, 2, /^certs: The argument "a\ufffd" is not valid UTF-8/],
    [`HOME=${BAD} ${CERTS} list`, 2, /^certs: The environment variable HOME is not valid UTF-8/],
    [`${TELEPORTD} --data ${BAD}`, 2, /^teleportd: The argument "a\ufffd" is not valid UTF-8/],
    [`HOME=${BAD} ${TELEPORTD}`, 2, /^teleportd: The environment variable HOME is not valid UTF-8/],
  ] as const
) {
  Deno.test(`programs refuse invalid UTF-8: ${line.replaceAll('"$DENO" ', "").replaceAll(BAD, "BAD")}`, async () => {
    const ended = await shell(line);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, sentence);
  });
}
