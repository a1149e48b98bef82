/** `teleport run --rm`, `--on-end` and `--env-file`, and `wait --timeout`, with real programs. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { readUntil, spawnTeleport, startServer, teleport, teleportOk } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("teleport run --rm --on-end runs the command with its variables, and leaves no job", async () => {
  await using server = await startServer({ jobHost: "none" });
  const command = 'echo "$TELEPORT_JOB_STATE $TELEPORT_EXIT_CODE ${#TELEPORT_JOB_ID} ${PATH:+has a path}"; exit 9';
  const { code, stdout, stderr } = await teleport(
    server,
    "run",
    "--rm",
    "--on-end",
    command,
    "--",
    "sh",
    "-c",
    "echo out; exit 7",
  );
  assert.equal(stdout, "out\nEXITED 7 36 has a path\n");
  assert.match(stderr, /--on-end ended with exit code 9/);
  assert.equal(code, 7);
  assert.equal(await teleportOk(server, "list", "--output", "json"), "");
});

Deno.test("teleport run --rm that is interrupted three times leaves no job", async () => {
  await using server = await startServer();
  const program = spawnTeleport(
    server,
    "run",
    "--rm",
    "--",
    "sh",
    "-c",
    "trap 'echo caught' INT; echo up; while :; do sleep 1000 & wait $!; done",
  );
  const reader = program.stdout.getReader();
  await readUntil(reader, "up");
  for (let count = 0; count < 2; count++) {
    program.kill("SIGINT");
    // The command has counted the signal when its job has it.
    await readUntil(reader, "caught");
    // The same signal within 200 ms counts once.
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  program.kill("SIGINT");
  assert.equal((await deadline(program.status, "the end of run")).code, 130);
  await reader.cancel();
  assert.match(await new Response(program.stderr).text(), /Interrupted by the third signal/);
  assert.equal(await teleportOk(server, "list", "--output", "json"), "");
});

Deno.test("teleport run --env-file takes variables from a file, and from the environment of the client", async () => {
  await using server = await startServer({ jobHost: "none" });
  await using temporary = await tempDir();
  const file = `${temporary.path}/env`;
  await Deno.writeTextFile(file, "# a comment\nA=one two\nTELEPORT_IDENTITY\nNOT_SET_ANYWHERE\nB=file\n");
  const script = 'echo "$A|$TELEPORT_IDENTITY|${NOT_SET_ANYWHERE-unset}|$B"';
  const printed = await teleportOk(server, "run", "--env-file", file, "-e", "B=option", "--", "sh", "-c", script);
  assert.equal(printed, "one two|admin|unset|option");
  await Deno.writeTextFile(file, "A=1\nb c=2\n");
  const { code, stderr } = await teleport(server, "register", "--env-file", file, "true");
  assert.equal(code, 2);
  assert.match(stderr, /Invalid line 2 of the file ".*env" of --env-file: the name "b c" must not contain spaces/);
});

Deno.test("teleport wait --timeout leaves the job running", async () => {
  await using server = await startServer({ jobHost: "none" });
  const id = await teleportOk(server, "run", "-d", "sleep", "1000");
  assert.equal((await teleport(server, "wait", "--timeout", "100ms", id)).code, 124);
  assert.match(await teleportOk(server, "status", id), /RUNNING/);
});
