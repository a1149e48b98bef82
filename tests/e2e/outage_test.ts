/** The command line when the network breaks, and when the server stops and starts again. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Proxy } from "./proxy.ts";
import { readRest, readUntil, spawnTeleport, startServer, teleport, teleportOk } from "../support/programs.ts";
import { Random, seedFor } from "../support/random.ts";
import { deadline } from "../support/deadline.ts";

/** The number of broken connections. The full size is 50 in 200 MB. */
const CUTS = Number(Deno.env.get("TELEPORT_TEST_CUTS") ?? 10);
const BYTES = Number(Deno.env.get("TELEPORT_TEST_CUT_BYTES") ?? 30_000_000);

/** The broken connections of an output, and its bytes. The windows of the second one are wide when they break. */
const OUTPUTS = [[CUTS, BYTES], [3, 60_000_000]] as const;

/** Breaks the connections of a proxy at random places. Some bytes get through between two of them. */
function cutOften(proxy: Proxy, most: number = CUTS, bytes: number = BYTES): { readonly cuts: number } {
  const random = new Random(seedFor("outage_test"));
  let cuts = 0;
  const gap = () => (bytes / most) * (0.5 + random.next() / 3);
  let next = gap();
  proxy.onBytes = () => {
    if (proxy.bytes < next || cuts === most) return;
    cuts += 1;
    next = proxy.bytes + gap();
    proxy.cut();
  };
  return {
    get cuts() {
      return cuts;
    },
  };
}

Deno.test(`teleport run prints every byte once when the connection breaks ${CUTS} times`, async () => {
  await using server = await startServer();
  await using proxy = new Proxy(server.address);
  const cutting = cutOften(proxy);
  const script = `head -c ${BYTES / 2} /dev/urandom; head -c ${BYTES / 2} /dev/urandom >&2; exit 7`;
  const program = spawnTeleport({ address: proxy.address, dir: server.dir }, "run", "--", "sh", "-c", script);
  const stderr: Uint8Array[] = [];
  const [stdoutDigest] = await Promise.all([
    (async () => {
      const hash = createHash("sha256");
      for await (const chunk of program.stdout) hash.update(chunk);
      return hash.digest("hex");
    })(),
    (async () => {
      for await (const chunk of program.stderr) stderr.push(chunk);
    })(),
  ]);
  const { code } = await deadline(program.status, "the end of the process");
  const said = new TextDecoder("latin1").decode(await new Blob(stderr as BlobPart[]).arrayBuffer())
    .match(/^.*teleport: [ -~]*$/gm)?.map((line) => line.slice(line.indexOf("teleport: ")));
  assert.equal(code, 7, said?.slice(-4).join("\n") ?? "");
  assert.equal(cutting.cuts, CUTS);
  const [job] = JSON.parse((await teleport(server, "list", "--output", "json")).stdout.split("\n")[0] ?? "").id
    .split(" ");
  const direct = await spawnTeleport(server, "logs", "--stdout", job).output();
  assert.equal(stdoutDigest, createHash("sha256").update(direct.stdout).digest("hex"));
  assert.equal(direct.stdout.length, BYTES / 2);
  // In addition to the job's bytes, stderr reports the end of each outage, once for each broken call.
  const notes = new TextDecoder("latin1").decode(await new Blob(stderr as BlobPart[]).arrayBuffer())
    .match(/teleport: The server is back\n/g) ?? [];
  assert.ok(notes.length >= CUTS && notes.length <= 2 * CUTS, `${notes.length} notes`);
});

for (const [most, bytes] of OUTPUTS) {
  const what = `the connection breaks ${most} times in ${bytes / 1e6} MB`;
  Deno.test(`teleport logs -f prints every byte once when ${what}`, async () => {
    await using server = await startServer();
    await using proxy = new Proxy(server.address);
    const id = await teleportOk(server, "run", "-d", "--", "sh", "-c", `head -c ${bytes} /dev/urandom`);
    const cutting = cutOften(proxy, most, bytes);
    const program = spawnTeleport({ address: proxy.address, dir: server.dir }, "logs", "-f", id);
    const told = new Response(program.stderr).text();
    const hash = createHash("sha256");
    for await (const chunk of program.stdout) hash.update(chunk);
    assert.equal((await deadline(program.status, "the end of the process")).code, 0);
    assert.equal(cutting.cuts, most);
    const notes = (await told).match(/^teleport: The server is back$/gm) ?? [];
    assert.equal(notes.length, most);
    const end = JSON.parse(await teleportOk(server, "logs", "--output", "json", "--tail-bytes", "0", id)).end;
    assert.equal(end.stdout_bytes, bytes);
    assert.equal(hash.digest("hex"), end.stdout_sha256);
  });
}

Deno.test("teleport logs -f waits when a forwarder cannot reach the server, and reports it once", async () => {
  await using server = await startServer();
  await using proxy = new Proxy(server.address);
  const script = "trap 'echo two; exit 0' TERM; echo one; while :; do sleep 0.01; done";
  const job = await teleportOk(server, "run", "-d", "--", "sh", "-c", script);
  const program = spawnTeleport({ address: proxy.address, dir: server.dir }, "logs", "-f", "--stdout", job);
  const reader = program.stdout.getReader();
  assert.equal(await readUntil(reader, "one\n"), "one\n");
  const told = new Response(program.stderr).text();
  const refused = Promise.withResolvers<void>();
  let count = 0;
  proxy.onAway = () => {
    if (++count === 3) refused.resolve();
  };
  proxy.cut();
  await Promise.race([refused.promise, program.status.then(() => told.then(assert.fail))]);
  await teleportOk(server, "stop", job);
  proxy.onAway = undefined;
  assert.equal(await readRest(reader), "two\n");
  assert.equal((await deadline(program.status, "the end of the process")).code, 0);
  assert.match(await told, /^teleport: [^\n]*: trying again for 2m\nteleport: The server is back\n$/);
});

Deno.test("teleport run ends at once when its certificate is refused", async () => {
  await using server = await startServer();
  await using stranger = await startServer();
  await Deno.copyFile(`${server.dir}/certs/ca.crt`, `${stranger.dir}/certs/ca.crt`);
  const { code, stderr } = await teleport({ address: server.address, dir: stranger.dir }, "run", "true");
  assert.equal(code, 255, stderr);
  assert.match(stderr, /^teleport: Cannot reach the server at .*does not accept this client's certificate.*\n$/);
});

Deno.test("teleport logs -f and watch continue when the network works again", async () => {
  await using server = await startServer();
  await using proxy = new Proxy(server.address);
  const id = (await teleport(
    server,
    "run",
    "-d",
    "--",
    "sh",
    "-c",
    "trap 'echo two; exit 3' TERM; echo one; while :; do sleep 0.01; done",
  ))
    .stdout.trim();
  const through = { address: proxy.address, dir: server.dir };
  const followers = [spawnTeleport(through, "logs", "-f", id), spawnTeleport(through, "watch", id)];
  const readers = followers.map(({ stdout }) => stdout.pipeThrough(new TextDecoderStream()).getReader());
  // Only a client that has had an answer waits for the server.
  const firsts = await Promise.all(
    readers.map(async (reader) => (await deadline(reader.read(), "output")).value ?? ""),
  );
  proxy.cut();
  const told = followers.map(({ stderr }) => stderr.pipeThrough(new TextDecoderStream()).getReader());
  await Promise.all(told.map(async (reader) => {
    let text = "";
    while (!text.includes("The server is back")) {
      text += (await deadline(reader.read(), "output")).value ?? assert.fail(text);
    }
  }));
  await teleport(server, "stop", id);
  const texts = await Promise.all(readers.map(async (reader, index) => {
    let text = firsts[index] ?? "";
    for (
      let read = await deadline(reader.read(), "output");
      !read.done;
      read = await deadline(reader.read(), "output")
    ) text += read.value;
    return text;
  }));
  for (const reader of told) while (!(await deadline(reader.read(), "output")).done);
  for (const follower of followers) assert.equal((await deadline(follower.status, "the end of the process")).code, 0);
  assert.equal(texts[0], "one\ntwo\n");
  assert.match(texts[1] ?? "", /^RUNNING.*\n(STOPPING.*\n)?EXITED 3.*\n$/);
});
