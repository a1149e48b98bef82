/** The server's environment as bytes, and the variables that jobs inherit from it. */
import assert from "node:assert/strict";
import { inheritableVariables, parseEnvironment } from "../../teleportd/environment.ts";
import { StartError } from "../../teleportd/start_error.ts";
import { tempDir } from "../support/temp_dir.ts";

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

Deno.test("parseEnvironment() keeps every value unchanged, also one that is not UTF-8", () => {
  const environment = parseEnvironment(bytes("A=1\0B=\xff\0C=a=b\0EMPTY=\0A=2\0=x\0none\0D=\xc3\xa9\0N\xff=1\0"));
  assert.deepEqual(environment, {
    A: "1",
    B: bytes("\xff"),
    C: "a=b",
    EMPTY: "",
    D: "é",
    "N\\xff": bytes("N\xff=1"),
  });
  assert.deepEqual(parseEnvironment(bytes("")), {});
  assert.deepEqual(parseEnvironment(bytes("A=\ufeff1".replace("\ufeff", "\xef\xbb\xbf"))), { A: "\ufeff1" });
});

Deno.test("inheritableVariables() returns the named variables unchanged, and refuses one that is not UTF-8", () => {
  const environment = parseEnvironment(bytes("A=1\0B=jos\xe9\0C=3\0"));
  assert.deepEqual(inheritableVariables(environment, ["A", "X"]), { A: "1" });
  const refused = /^Cannot pass the variable "B" to jobs: "jos\\xe9" is not valid UTF-8; change or unset it$/;
  for (const names of [["B"], ["*"], ["A", "B"]]) {
    assert.throws(() => inheritableVariables(environment, names), (error) => {
      assert.ok(error instanceof StartError && refused.test(error.message), String(error));
      return true;
    });
  }
});

Deno.test("teleportd does not start when a variable for jobs is not UTF-8, and names the variable", async () => {
  const server = new URL("../../server.ts", import.meta.url).pathname;
  await using temporary = await tempDir();
  const dir = temporary.path;
  const flags = ["--init-certs", "--certs", `${dir}/certs`, "--data", `${dir}/data`, "--listen", "127.0.0.1:0"];
  const start = async (script: string) => {
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", `${script}; exec "$@"`, "sh", Deno.execPath(), "run", "-A", server, ...flags, "--inherit-env", "X"],
      env: { NO_COLOR: "1" },
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  };
  const lent = await start("X=$(printf 'a\\377b'); export X");
  assert.equal(lent.code, 1);
  assert.match(lent.stderr, / error Cannot pass the variable "X" to jobs: "a\\xffb" is not valid UTF-8; /);
});
