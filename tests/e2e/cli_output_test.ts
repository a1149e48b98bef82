/** Selected output and limited output, from a server to the command line. */
import assert from "node:assert/strict";
import { spawnTeleport, startServer, teleport, teleportOk } from "../support/programs.ts";

Deno.test("teleport run reports how much output its limit dropped, and status shows the limit", async () => {
  await using server = await startServer();
  const limit = ["--max-output", "64k", "--output-policy", "keep-newest"];
  const id = await teleportOk(server, "run", "-d", ...limit, "--", "sh", "-c", "seq 1 200000");
  await teleportOk(server, "wait", id);
  const { code, stdout, stderr } = await teleport(server, "logs", id);
  assert.equal(code, 0, stderr);
  const all = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("");
  assert.ok(stdout.length > 0 && stdout.length <= 65_536, `${stdout.length} bytes`);
  assert.ok(all.endsWith(stdout));
  const dropped = all.length - stdout.length;
  assert.match(stderr, new RegExp(`^teleport: ${dropped} bytes of stdout are missing here: its output limit dropped`));
  const status = await teleportOk(server, "status", id);
  assert.match(status, /^Output limit: 64\.0 KiB, of which the newest are kept$/m);
  assert.match(status, /^Dropped: +1\.2 MiB$/m);
  const { dropped_bytes } = JSON.parse(await teleportOk(server, "--output", "json", "status", id));
  assert.equal(Number(dropped_bytes), dropped);
});

Deno.test("teleport run exits with 1 and reports the output limit that stopped the job", async () => {
  await using server = await startServer();
  const script = "while :; do echo line; done";
  const { code, stdout, stderr } = await teleport(server, "run", "--max-output", "1kB", "--", "sh", "-c", script);
  assert.equal(stdout, "line\n".repeat(200));
  assert.match(stderr, /was ended: over its output limit/);
  assert.notEqual(code, 0);
});

Deno.test("teleportd limits the output of jobs without a limit of their own, with the same sizes as the command line", async () => {
  const args = ["--max-output", "2KiB", "--output-policy", "keep-newest", "--max-output-total", "1GB"];
  await using server = await startServer({ args });
  const id = await teleportOk(server, "register", "true");
  assert.match(await teleportOk(server, "status", id), /^Output limit: 2\.0 KiB, of which the newest are kept$/m);
  const own = await teleportOk(server, "register", "--max-output", "1MB", "true");
  assert.match(await teleportOk(server, "status", own), /^Output limit: 977 KiB, then the job is stopped$/m);
});

for (const flag of ["--max-output", "--max-output-total"]) {
  Deno.test(`teleportd refuses an invalid size for ${flag}`, async () => {
    for (const size of ["0", "-1", "1x", "1.5MB", "", "lots"]) {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-q", "-A", "server.ts", flag, size],
        cwd: new URL("../../", import.meta.url).pathname,
        stdin: "null",
      }).output();
      assert.equal(code, 2, size);
      assert.match(
        new TextDecoder().decode(stderr),
        new RegExp(`Invalid size "${size}" for ${flag}: give one such as`),
      );
    }
  });
}

Deno.test("teleport logs prints exactly the selected lines, stream and time", async () => {
  await using server = await startServer();
  // Bytes that are valid in no encoding, and a last line without a line feed.
  const script = String.raw`printf 'one\ntwo\377\0\nthree'; printf 'err\n' >&2`;
  const id = await teleportOk(server, "run", "-d", "--", "sh", "-c", script);
  await teleportOk(server, "wait", id);
  const logs = async (...args: string[]) => {
    const { code, stdout, stderr } = await spawnTeleport(server, "logs", ...args, id).output();
    const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  };
  const whole = "one\ntwo\xff\0\nthree";
  assert.deepEqual(await logs(), { code: 0, stdout: whole, stderr: "err\n" });
  assert.deepEqual(await logs("--stdout"), { code: 0, stdout: whole, stderr: "" });
  assert.deepEqual(await logs("--stderr"), { code: 0, stdout: "", stderr: "err\n" });
  assert.deepEqual(await logs("--stdout", "-n", "2"), { code: 0, stdout: "two\xff\0\nthree", stderr: "" });
  assert.deepEqual(await logs("--stdout", "--tail-bytes", "3"), { code: 0, stdout: "ree", stderr: "" });
  assert.deepEqual(await logs("--until", "1h"), { code: 0, stdout: "", stderr: "" });
  assert.deepEqual(await logs("--since", "1h"), { code: 0, stdout: whole, stderr: "err\n" });
  const stamped = await logs("-t", "--stdout");
  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
  assert.match(stamped.stdout, new RegExp(`^${time} one\n${time} two\xff\0\n${time} three$`));
  // The cursor of a chunk continues right after it.
  const [first] = (await teleportOk(server, "logs", "--stdout", "--output", "json", id)).split("\n");
  const { cursor, data } = JSON.parse(first!);
  const rest = await logs("--stdout", "--cursor", cursor);
  assert.equal(new TextDecoder("latin1").decode(Uint8Array.fromBase64(data)) + rest.stdout, whole);
  assert.equal((await logs("--cursor", "0.0.0.AAAAAAAA")).code, 1);
});
