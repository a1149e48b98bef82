/** Every watcher gets exactly the bytes that a job wrote, whenever it starts to watch. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { JobWorkerClient } from "../../proto/service.ts";
import { startServer } from "../support/programs.ts";
import { clientOf, finalOf, memoryMiB } from "../support/server_process.ts";

const MIB = 1_048_576;

/** The largest memory in MiB. Measured 200, of which 90 before any output. Output in memory for each watcher is 1,280. */
const MAX_MEMORY_MIB = 400;

/** The output that one watcher received. */
interface Seen {
  readonly stdout: { readonly bytes: number; readonly sha256: string };
  readonly stderr: { readonly bytes: number; readonly sha256: string };
}

/** Reads all output. It fails when a chunk does not follow the one before, or the summary differs. */
async function watchAll(calls: JobWorkerClient, id: string, received = () => {}): Promise<Seen> {
  const streams = {
    STREAM_STDOUT: { bytes: 0, hash: createHash("sha256") },
    STREAM_STDERR: { bytes: 0, hash: createHash("sha256") },
  };
  for await (const { data, stream, offset, dropped_bytes, end } of calls.GetOutput({ id })) {
    if (end === null) {
      assert.ok(stream !== "STREAM_UNSPECIFIED" && dropped_bytes === 0);
      assert.equal(offset, streams[stream].bytes);
      streams[stream].hash.update(data);
      streams[stream].bytes += data.length;
      received();
      continue;
    }
    const stdout = { bytes: streams.STREAM_STDOUT.bytes, sha256: streams.STREAM_STDOUT.hash.digest("hex") };
    const stderr = { bytes: streams.STREAM_STDERR.bytes, sha256: streams.STREAM_STDERR.hash.digest("hex") };
    assert.deepEqual({
      stdout: { bytes: end.stdout_bytes, sha256: end.stdout_sha256.toHex() },
      stderr: { bytes: end.stderr_bytes, sha256: end.stderr_sha256.toHex() },
    }, { stdout, stderr });
    assert.equal(end.dropped_bytes, 0);
    assert.equal(end.status?.state, "STATE_EXITED");
    return { stdout, stderr };
  }
  throw new Error("The stream ended without a summary");
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of (await Deno.open(path)).readable) hash.update(chunk);
  return hash.digest("hex");
}

Deno.test("10 watchers receive 64 MiB of random bytes of both streams, whenever they start to watch", async () => {
  await using server = await startServer();
  await using first = await clientOf(server);
  await using second = await clientOf(server);
  const dir = await Deno.makeTempDir({ dir: server.dir });
  await new Deno.Command("mkfifo", { args: [`${dir}/gate`] }).output();
  // Half of both streams, a pause in which watchers start, then the other half. tee keeps the bytes that were written.
  const script = `
    half() {
      head -c ${32 * MIB} /dev/urandom | tee -a "$1/out" &
      head -c ${32 * MIB} /dev/urandom | tee -a "$1/err" >&2 &
      wait
    }
    half "$1"; read line < "$1/gate"; half "$1"`;
  const { id } = await first.calls.Register({ command: "sh", args: ["-c", script, "sh", dir] });
  const seen: Promise<Seen>[] = [];
  const watch = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) =>
      new Promise<void>((resolve, reject) => {
        const watching = watchAll((index % 2 === 0 ? first : second).calls, id, resolve);
        watching.catch(reject);
        seen.push(watching);
      })));

  const early = watch(3);
  const ended = finalOf(first.calls, id);
  await early;
  // The first half is written. The job waits at the gate, which opens for writing when the job reads.
  await watch(4);
  await Deno.writeTextFile(`${dir}/gate`, "go\n");
  assert.equal((await ended).exit_code, 0);
  await watch(3);

  const expected: Seen = {
    stdout: { bytes: 64 * MIB, sha256: await sha256OfFile(`${dir}/out`) },
    stderr: { bytes: 64 * MIB, sha256: await sha256OfFile(`${dir}/err`) },
  };
  assert.equal(seen.length, 10);
  for (const watcher of await Promise.all(seen)) assert.deepEqual(watcher, expected);
  const memory = memoryMiB(server, "VmHWM");
  assert.ok(memory < MAX_MEMORY_MIB, `${memory} MiB at most`);
});

Deno.test("watchers receive bytes that are not text, and empty output", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const outputs: [string, string, string][] = [
    ["nothing", "", ""],
    ["NULs", "\0\0a\0", "\0"],
    ["invalid UTF-8", "\xff\xfe\x80\xc3\xed\xa0\x80", "\xc0\xaf"],
    ["no newline at the end", "line\nno end", "err"],
    ["line ends of all kinds", "a\r\nb\rc\n\n", "\r\n"],
    ["every byte", String.fromCharCode(...Array(256).keys()), "\x1b[31m"],
  ];
  for (const [what, stdout, stderr] of outputs) {
    const octal = (text: string) => [...latin1(text)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
    const { id } = await calls.Register({
      command: "sh",
      args: ["-c", 'printf "$1"; printf "$2" >&2', "sh", octal(stdout), octal(stderr)],
    });
    const live = watchAll(calls, id);
    await finalOf(calls, id);
    const sha256 = (text: string) => createHash("sha256").update(latin1(text)).digest("hex");
    const expected: Seen = {
      stdout: { bytes: stdout.length, sha256: sha256(stdout) },
      stderr: { bytes: stderr.length, sha256: sha256(stderr) },
    };
    assert.deepEqual(await live, expected, what);
    assert.deepEqual(await watchAll(calls, id), expected, what);
  }
});
