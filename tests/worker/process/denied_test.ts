/**
 * Tests of a server that is not root and a job that has become root's. Each answer says what happened.
 * Slow: it copies the library for another user.
 */
import assert from "node:assert/strict";
import { needing } from "../../support/needs.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ROOT_OF_REPOSITORY = new URL("../../../", import.meta.url).pathname;

async function output(command: string, args: string[]): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" }).output();
  return { success, text: new TextDecoder().decode(success ? stdout : stderr) };
}

// Only root can make a set-user-id copy of setpriv(1).
Deno.test(
  needing(["root", "setpriv", "nobody"], "Supervisor reports what happened to a process that it may not signal"),
  async () => {
    await using temporary = await tempDir();
    const place = temporary.path;

    await Deno.chmod(place, 0o755);
    // The other user may be unable to read this repository and the runtime, so it gets a copy.
    const copy = await output("sh", [
      "-c",
      'cp -R "$1/mod.ts" "$1/worker" "$1/base" "$1/deno.json" "$2" && mkdir -p "$2/tests/worker/process" "$2/cache" && ' +
      'cp "$1/tests/worker/process/denied_program.ts" "$2/tests/worker/process" && cp "$3" "$2/deno" && ' +
      'cp "$(command -v setpriv)" "$2/helper" && chmod -R a+rX "$2" && chmod 4755 "$2/helper" && chmod 777 "$2/cache"',
      "sh",
      ROOT_OF_REPOSITORY,
      place,
      Deno.execPath(),
    ]);
    assert.ok(copy.success, copy.text);
    const asNobody = ["--reuid=nobody", "--regid=65534", "--clear-groups"];
    const { text: user } = await output("setpriv", [...asNobody, `${place}/helper`, "--reuid=0", "id", "-u"]);
    if (user.trim() !== "0") return; // The file system ignores set-user-id (nosuid), or this process cannot gain privileges.
    const { success, text } = await output("setpriv", [
      ...asNobody,
      "env",
      `HOME=${place}/cache`,
      `TMPDIR=${place}/cache`,
      `DENO_DIR=${place}/cache/deno`,
      `${place}/deno`,
      ...[
        "run",
        "-q",
        "-A",
        "--no-check",
        "--no-lock",
        "--no-config",
        `${place}/tests/worker/process/denied_program.ts`,
      ],
      `${place}/helper`,
    ]);
    assert.ok(success, text);
    check(JSON.parse(text));
  },
);

// deno-lint-ignore no-explicit-any -- as it was written
function check({ pid, whole, part, errors }: Record<string, any>): void {
  const denied = (what: string) => ({
    code: "SIGNAL_DENIED",
    message: `Cannot ${what} process ${pid}: the server may not signal processes of another user`,
  });
  assert.deepEqual(whole.signal, denied("send SIGHUP to"));
  assert.deepEqual(whole.realTime, denied("send SIGRTMIN+1 to"));
  assert.deepEqual(whole.pause, denied("pause"));
  assert.equal(whole.paused, false);
  assert.deepEqual([whole.stop, whole.again], [denied("end"), denied("end")]);
  assert.equal(whole.state, "STOPPING");
  // It ended by itself, and nobody's signal is on record.
  assert.equal(whole.end.state, "EXITED");
  assert.equal(whole.end.signals, 0);
  assert.deepEqual([whole.end.exitReport.termSentAt, whole.end.exitReport.killSentAt], [undefined, undefined]);

  assert.equal(part.signal.code, "SIGNAL_DENIED");
  assert.match(part.signal.message, /^Cannot send SIGHUP to process \d+: .*\. The other processes received it$/);
  assert.equal(part.pause.code, "SIGNAL_DENIED");
  assert.equal(part.paused, false);
  assert.deepEqual(part.stop, { state: "KILLED" });
  assert.equal(part.end.signals, 1);
  const { survivorsLeft, termSentAt, killSentAt } = part.end.exitReport;
  assert.equal(survivorsLeft, 1);
  assert.ok(termSentAt !== undefined || killSentAt !== undefined);
  assert.equal(errors.length, 3, JSON.stringify(errors));
  for (const error of errors) assert.match(error, /^Cannot end process \d+ of job "[^"]+": the server may not signal/);
}
