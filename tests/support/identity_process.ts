/** A server as a process whose certificates, policy and log are in a test's hands. */
import assert from "node:assert/strict";
import { connect, type RpcClient, type TlsCredentials } from "../../rpc/client/client.ts";
import { ca, credentials, issue, type Issued } from "./certificates.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DENO = [Deno.execPath(), "run", "--quiet", "--no-prompt"] as const;

/** A server and what it says. */
export interface WatchedServer extends AsyncDisposable {
  readonly address: string;
  /** Holds `certs`, `data` and `policy.json`. */
  readonly dir: string;
  readonly process: Deno.ChildProcess;
  /** Resolves with the first line of its log, from the start, that matches; fails when the server ends before. */
  says(wanted: RegExp): Promise<string>;
  /** All it has said. */
  log(): string;
  /** A client with such a certificate. */
  as(own: Issued): RpcClient;
  /** Ends it by SIGTERM and resolves with its exit code. */
  stop(): Promise<number>;
}

/** Writes a file in one step, so that the server never sees half of it. */
export async function replaceFile(path: string, text: string, mode = 0o644): Promise<void> {
  await Deno.writeTextFile(`${path}.new`, text, { mode });
  await Deno.rename(`${path}.new`, path);
}

/** Makes a directory with a server's certificate, of the authority of which tests have the key. */
export async function makePlace(authority: Issued = ca): Promise<AsyncDisposable & { readonly dir: string }> {
  const dir = await Deno.makeTempDir({ prefix: "teleport_identity_" });
  await Deno.mkdir(`${dir}/certs`, { mode: 0o700 });
  const hosts = ["localhost", "127.0.0.1", "::1"];
  const server = await issue({ subject: [["CN", "server"]], usage: "server", hosts, issuer: authority });
  await replaceFile(`${dir}/certs/ca.crt`, authority.cert);
  await replaceFile(`${dir}/certs/server.crt`, server.cert);
  await replaceFile(`${dir}/certs/server.key`, server.key, 0o600);
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

/** Runs teleportd to its end. */
export async function teleportd(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [deno, ...denoArgs] = [...DENO, "-A", "server.ts"];
  const { code, stdout, stderr } = await new Deno.Command(deno!, { args: [...denoArgs, ...args], cwd: ROOT }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Runs the certificate tool, which must succeed. */
export async function certs(...args: string[]): Promise<string> {
  const [deno, ...denoArgs] = [...DENO, "-P=certs", "certs.ts"];
  const { code, stdout, stderr } = await new Deno.Command(deno!, { args: [...denoArgs, ...args], cwd: ROOT }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Starts a server and waits until it serves. */
export async function startWatched(dir: string, ...more: string[]): Promise<WatchedServer> {
  const [deno, ...args] = [...DENO, "-A", "server.ts", "--listen", "127.0.0.1:0"];
  const process = new Deno.Command(deno!, {
    args: [...args, "--certs", `${dir}/certs`, "--data", `${dir}/data`, ...more],
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  let ended = false;
  let wake = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      wake.resolve();
      wake = Promise.withResolvers();
    }
    ended = true;
    wake.resolve();
  })();
  const says = async (wanted: RegExp): Promise<string> => {
    for (;;) {
      const line = log.split("\n").find((line) => wanted.test(line));
      if (line !== undefined) return line;
      assert.ok(!ended, `The server ended without saying ${wanted}: ${log}`);
      await wake.promise;
    }
  };
  const address = (await says(/^listening on /)).slice("listening on ".length);
  const stop = async () => {
    try {
      process.kill("SIGTERM");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    const { code } = await process.status;
    await reading;
    return code;
  };
  return {
    address,
    dir,
    process,
    says,
    log: () => log,
    stop,
    as: (own) => connect({ address, credentials: credentials(ca, own) as TlsCredentials }),
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** The lines of a server's audit record. */
export async function auditLines(dir: string): Promise<Record<string, unknown>[]> {
  const text = await Deno.readTextFile(`${dir}/data/audit/audit-00000001.jsonl`);
  return text.trim().split("\n").map((line) => JSON.parse(line));
}
