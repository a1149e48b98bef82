/** The mixed load of the soak: rounds of many kinds of users and strangers, each of which checks its own result. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RpcClient } from "../../rpc/client/client.ts";
import { CallError } from "../../rpc/client/client.ts";

/** The server and the clients of a round. */
export interface Ground {
  /** A client with the role admin, shared by all rounds. */
  readonly admin: RpcClient;
  /** Makes a connection of its own. */
  connect(identity: "admin" | "viewer" | "norole"): Promise<RpcClient>;
  readonly host: string;
  readonly port: number;
}

/** One kind of load. It is repeated until the soak ends. */
export type Round = (ground: Ground) => Promise<void>;

/** Runs a job that writes random bytes to both streams. It counts every byte and compares the digest. */
async function exactOutput({ admin: { calls } }: Ground): Promise<void> {
  const bytes = 1 + randomBytes(3).readUIntBE(0, 3) % 300_000;
  const { id } = await calls.Register({
    command: "sh",
    args: ["-c", `head -c ${bytes} /dev/urandom; head -c 1000 /dev/urandom >&2; exit 7`],
  });
  const hash = createHash("sha256");
  let received = 0;
  const [, status] = await Promise.all([
    (async () => {
      for await (const { data, stream, end } of calls.GetOutput({ id })) {
        if (end !== null) assert.deepEqual(Buffer.from(end.stdout_sha256), hash.digest(), "the digest of stdout");
        if (stream !== "STREAM_STDOUT") continue;
        hash.update(data);
        received += data.length;
      }
    })(),
    (async () => {
      let last;
      for await (const status of calls.Start({ id })) last = status;
      return last;
    })(),
  ]);
  assert.equal(received, bytes);
  assert.equal(status?.exit_code, 7);
  await calls.Remove({ id });
}

/** Runs a command that does not exist. */
async function failedStart({ admin: { calls } }: Ground): Promise<void> {
  const { id } = await calls.Register({ command: "/no/such/command" });
  let last;
  for await (const status of calls.Start({ id })) last = status;
  assert.equal(last?.state, "STATE_FAILED");
  await calls.Remove({ id });
}

/** Stops a job that has a daemon and watchers. */
async function stopped({ admin: { calls } }: Ground): Promise<void> {
  const { id } = await calls.Register({ command: "sh", args: ["-c", "setsid sleep 300 & echo up; sleep 300"] });
  const watchers = Array.from({ length: 5 }, async () => {
    for await (const _ of calls.GetOutput({ id }));
  });
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  for await (const _ of calls.GetOutput({ id })) break;
  const { state } = await calls.Stop({ id, grace_ms: 1_000 });
  assert.equal(state, "STATE_KILLED");
  await Promise.all(watchers);
  await calls.Remove({ id });
}

/** Runs a job that sends its input back. */
async function input({ admin: { calls } }: Ground): Promise<void> {
  const { id } = await calls.Register({ command: "sha256sum", input: true });
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  const data = randomBytes(200_000);
  await calls.Input((async function* () {
    yield { id };
    for (let at = 0; at < data.length; at += 50_000) yield { data: data.subarray(at, at + 50_000) };
    yield { end: true };
  })());
  let text = "";
  for await (const { data } of calls.GetOutput({ id })) text += new TextDecoder().decode(data);
  assert.equal(text.split(" ")[0], createHash("sha256").update(data).digest("hex"));
  await calls.Remove({ id });
}

/** Watches endless output, stops reading, and leaves in the middle. */
async function slowWatcher(ground: Ground): Promise<void> {
  await using viewer = await ground.connect("viewer");
  const { calls } = ground.admin;
  const { id } = await calls.Register({
    command: "yes",
    max_output_bytes: 8_000_000,
    output_policy: "OUTPUT_POLICY_KEEP_NEWEST",
  });
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  for await (const _ of viewer.calls.GetOutput({ id })) {
    await new Promise((resolve) => setTimeout(resolve, 300)); // This is the load: a reader that does not read.
    break;
  }
  await calls.Stop({ id, grace_ms: 1_000 });
  await calls.Remove({ id });
}

/** Lists and watches many jobs. */
async function lists(ground: Ground): Promise<void> {
  await using viewer = await ground.connect("viewer");
  await viewer.calls.List({ page_size: 1_000 });
  for await (const _ of viewer.calls.WatchJobs({})) break;
  await viewer.calls.Info({});
}

/** Calls as a client whose role the server does not know. */
async function withoutRole(ground: Ground): Promise<void> {
  await using client = await ground.connect("norole");
  await assert.rejects(
    client.calls.List({}),
    (error) => error instanceof CallError && error.status === "PERMISSION_DENIED",
  );
}

/** Connects as strangers: silent, with noise instead of TLS, and with TLS without a certificate. */
async function strangers({ host, port }: Ground): Promise<void> {
  const over = (socket: ReturnType<typeof connectTcp>) =>
    new Promise<void>((resolve) => {
      socket.on("error", () => {});
      socket.once("close", () => resolve());
      setTimeout(() => socket.destroy(), 200);
    });
  const silent = connectTcp({ host, port });
  const noisy = connectTcp({ host, port });
  noisy.once("connect", () => noisy.write(randomBytes(500)));
  const nameless = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  await Promise.all([over(silent), over(noisy), over(nameless)]);
}

/** All kinds of load. */
export const ROUNDS: Readonly<Record<string, Round>> = {
  exactOutput,
  failedStart,
  stopped,
  input,
  slowWatcher,
  lists,
  withoutRole,
  strangers,
};
