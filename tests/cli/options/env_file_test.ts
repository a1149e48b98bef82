/** The files of `--env-file`: the format of docker, and errors with the number of the line. */
import assert from "node:assert/strict";
import { lookUpVariables, readEnvFiles } from "../../../cli/options/env_file.ts";
import { tempDir } from "../../support/temp_dir.ts";

async function read(...files: (string | Uint8Array)[]): Promise<Record<string, string>> {
  await using temporary = await tempDir();
  const paths = files.map((_, at) => `${temporary.path}/${at}`);
  for (const [at, content] of files.entries()) {
    await Deno.writeFile(paths[at]!, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  return { ...await readEnvFiles(paths, () => Promise.resolve(new Map([["SET", "of the client"]]))) };
}

Deno.test("readEnvFiles() reads variables, comments, and names that take the client's value", async () => {
  const text =
    `\ufeff# comment\n\n  A=1\nB= two words \nC="quoted"\r\nD=x=y\n  # more\nSET\nUNSET\nE=\n__proto__=p\nA=2`;
  assert.deepEqual(
    await read(text),
    JSON.parse(
      `{"A":"2","B":" two words ","C":"\\"quoted\\"","D":"x=y","SET":"of the client","E":"","__proto__":"p"}`,
    ),
  );
  assert.deepEqual(await read("A=1\nB=1\n", "B=2"), { A: "1", B: "2" });
  assert.deepEqual(await read(""), {});
});

Deno.test("readEnvFiles() refuses a wrong line with its number, and files that are too large or missing", async () => {
  const cases: [string | Uint8Array, RegExp][] = [
    [
      "A=1\n=2\n",
      /Invalid line 2 of the file ".*" of --env-file: a variable needs a name/,
    ],
    ["A=1\n\nexport B=2", /Invalid line 3 of .*: the name "export B" must not contain spaces/],
    [new Uint8Array([65, 61, 255, 10]), /Invalid line 1 of .*: it must be UTF-8/],
    ["A=\0", /Invalid line 1 of .*: it must not contain a NUL/],
    [new Uint8Array(1_048_577).fill(35), /must have at most 1048576 bytes/],
    ["A=1\n".repeat(8_193), /Invalid line 8193 of .*: a file must have at most 8192 variables/],
  ];
  for (const [content, message] of cases) await assert.rejects(read(content), { name: "UsageError", message });
  await assert.rejects(readEnvFiles(["/nowhere"]), {
    message: /Cannot read the file "\/nowhere" of --env-file: No such/,
  });
  await assert.rejects(readEnvFiles(["/dev/zero"]), { message: /must have at most/ });
});

Deno.test("lookUpVariables() reads the environment of this process", async () => {
  const home = Deno.env.get("PATH");
  assert.deepEqual([...await lookUpVariables(["PATH", "NO_SUCH_VARIABLE", "-x", "--help", "a b"])], [["PATH", home]]);
});
