/** Tests of the limits of a command, and of finding its program. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import { join } from "node:path";
import { checkCommand, type CommandOptions } from "../../../worker/launch/command.ts";
import { findProgram } from "../../../worker/launch/program.ts";
import { InvalidArgumentError } from "../../../worker/errors.ts";

Deno.test("checkCommand() throws for commands that Linux cannot run", () => {
  const cases: readonly (readonly [string, string, readonly string[], CommandOptions])[] = [
    ["an empty command", "", [], {}],
    ["a command that is no string", null as unknown as string, [], {}],
    ["arguments that are no list", "true", "x" as unknown as string[], {}],
    ["an argument that is no string", "true", [1] as unknown as string[], {}],
    ["a value that is no string", "true", [], { env: { A: 1 } } as unknown as CommandOptions],
    ["a directory that is no string", "true", [], { cwd: 5 } as unknown as CommandOptions],
    ["a NUL in the command", "a\0b", [], {}],
    ["a NUL in an argument", "true", ["ok", "a\0b"], {}],
    ["a NUL in a value", "true", [], { env: { A: "a\0b" } }],
    ["a NUL in the directory", "true", [], { cwd: "/a\0b" }],
    ["half a character in the command", "tr\ud83due", [], {}],
    ["half a character in an argument", "true", ["ok", "\udc00"], {}],
    ["half a character in a value", "true", [], { env: { A: "a\ud800" } }],
    ["half a character in a name", "true", [], { env: { "A\ud800": "a" } }],
    ["half a character in the directory", "true", [], { cwd: "/\udfff" }],
    ["half a character in the user", "true", [], { user: "\ud83d" }],
    ["a name with =", "true", [], { env: { "A=B": "c" } }],
    ["an empty name", "true", [], { env: { "": "c" } }],
    ["a relative directory", "true", [], { cwd: "tmp" }],
    ["an empty directory", "true", [], { cwd: "" }],
    ["an argument of 128 KiB", "true", ["x".repeat(131_072)], {}],
    ["1 MiB in one argument", "true", ["x".repeat(1_048_576)], {}],
    ["1 MiB of arguments", "true", Array(16).fill("x".repeat(65_536)), {}],
    ["1 MiB of arguments in characters of three bytes", "true", Array(9).fill("\u20ac".repeat(43_690)), {}],
    ["more arguments than pointers to them fit", "true", Array(65_537).fill(""), {}],
    ["a negative time", "true", [], { timeoutMs: -1 }],
    ["a fraction of a millisecond", "true", [], { timeoutMs: 0.5 }],
    ["a time that no timer can hold", "true", [], { timeoutMs: 2 ** 31 }],
    ["a grace period above an hour", "true", [], { graceMs: 3_600_001 }],
    ["an empty user", "true", [], { user: "" }],
    ["a user with a colon", "true", [], { user: "a:b" }],
    ["a group with a line's end", "true", [], { group: "a\nb" }],
    ["a user of 256 characters", "true", [], { user: "x".repeat(256) }],
    ["a umask above 0777", "true", [], { umask: 0o1000 }],
    ["a umask below 0", "true", [], { umask: -1 }],
    ["a niceness above 19", "true", [], { nice: 20 }],
    ["a niceness below -20", "true", [], { nice: -21 }],
    ["a fraction of a niceness", "true", [], { nice: 0.5 }],
    ["a limit below 0", "true", [], { rlimits: { coreBytes: -1 } }],
    ["no processor time at all", "true", [], { rlimits: { cpuSeconds: 0 } }],
    ["fewer descriptors than every program has", "true", [], { rlimits: { openFiles: 19 } }],
    ["no process at all", "true", [], { rlimits: { processes: 0 } }],
    ["less memory than the unit it is counted in", "true", [], { rlimits: { addressSpaceBytes: 1_023 } }],
    ["a fraction of a limit", "true", [], { rlimits: { fileBytes: 1.5 } }],
    ["a limit that is no number", "true", [], { rlimits: { openFiles: NaN } }],
    ["a variable that the launcher cannot carry", "true", [], { env: { A: "x".repeat(130_900) } }],
    ["a grace period that is no number", "true", [], { graceMs: NaN }],
  ];
  for (const [what, command, args, options] of cases) {
    assert.throws(() => checkCommand(command, args, options), (error) => {
      assert.ok(error instanceof InvalidArgumentError, what);
      assert.match(error.message, /^[A-Z'].*[^.]$/, what);
      assert.ok(error.message.length < 800, what);
      return true;
    });
  }
});

Deno.test("checkCommand() accepts the largest values", () => {
  checkCommand("true", ["x".repeat(131_071)], { timeoutMs: 2 ** 31 - 1, graceMs: 3_600_000, cwd: "/" });
  checkCommand("true", Array(10_000).fill("x".repeat(100)), { env: { A: "" }, graceMs: 0, timeoutMs: 0 });
  checkCommand("true", [], {
    umask: 0,
    nice: -20,
    rlimits: { coreBytes: 0, fileBytes: 0, cpuSeconds: 1, openFiles: 20 },
  });
  checkCommand("true", [], { umask: 0o777, nice: 19, user: "x".repeat(255), group: "0", rlimits: {} });
  checkCommand("true", ["", "\n", "\u{1f600}", "\ufffd"], {});
});

Deno.test("findProgram() searches as execvp(3) does, and returns the reason of each failure", async () => {
  await using temp = await tempDir();
  const directory = temp.path;
  const file = async (name: string, mode: number) => {
    await Deno.mkdir(join(directory, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(directory, name), "#!/bin/sh\n");
    await Deno.chmod(join(directory, name), mode);
  };
  await file("one/tool", 0o644);
  await file("two/tool", 0o755);
  await file("plain", 0o644);
  await Deno.mkdir(join(directory, "three/folder"), { recursive: true });
  const path = ["one", "two", "three"].map((name) => join(directory, name)).join(":");
  const codeOf = (found: ReturnType<typeof findProgram>) => typeof found === "string" ? found : found.errorCode;

  assert.equal(findProgram("tool", "/", path), join(directory, "two/tool"));
  assert.equal(findProgram("./two/tool", directory, path), `${directory}/./two/tool`);
  assert.equal(findProgram(join(directory, "two/tool"), "/", ""), join(directory, "two/tool"));
  assert.equal(findProgram("tool", directory, "two"), `${directory}/two/tool`);
  assert.equal(codeOf(findProgram("nothing", "/", path)), "COMMAND_NOT_FOUND");
  assert.equal(codeOf(findProgram("./plain", directory, path)), "NOT_EXECUTABLE");
  assert.equal(codeOf(findProgram("folder", "/", path)), "NOT_EXECUTABLE");
  assert.equal(codeOf(findProgram(directory, "/", path)), "NOT_EXECUTABLE");
  assert.equal(codeOf(findProgram("tool", join(directory, "gone"), path)), "CWD_NOT_FOUND");
  assert.equal(codeOf(findProgram("tool", join(directory, "plain"), path)), "CWD_NOT_FOUND");
});
