/** The directory of a server whose certificates, policy and audit log are in a test's hands. */
import { connect, type RpcClient } from "../../rpc/client/client.ts";
import { ca, credentials, issue, type Issued } from "./certificates.ts";
import type { Server } from "./programs.ts";
import { tempDir } from "./temp_dir.ts";

/** Replaces a file in one step, so that a server never reads half of it. */
export async function replaceFile(path: string, text: string, mode = 0o644): Promise<void> {
  await Deno.writeTextFile(`${path}.new`, text, { mode });
  await Deno.rename(`${path}.new`, path);
}

/** Makes a directory with a server's certificate, signed by an authority whose key the test has. */
export async function makePlace(authority: Issued = ca): Promise<AsyncDisposable & { readonly dir: string }> {
  await using stack = new AsyncDisposableStack();
  const { path: dir } = stack.use(await tempDir());
  await Deno.mkdir(`${dir}/certs`, { mode: 0o700 });
  const hosts = ["localhost", "127.0.0.1", "::1"];
  const server = await issue({ subject: [["CN", "server"]], usage: "server", hosts, issuer: authority });
  await replaceFile(`${dir}/certs/ca.crt`, authority.cert);
  await replaceFile(`${dir}/certs/server.crt`, server.cert);
  await replaceFile(`${dir}/certs/server.key`, server.key, 0o600);
  const owned = stack.move();
  return { dir, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Connects a client with a certificate that the test made. */
export function clientWith({ address }: Pick<Server, "address">, own: Issued): RpcClient {
  return connect({ address, credentials: credentials(ca, own) });
}

/** Reads the entries of a server's audit log. */
export async function auditEntries(dir: string): Promise<Record<string, unknown>[]> {
  const text = await Deno.readTextFile(`${dir}/data/audit/audit-00000001.jsonl`);
  return text.trim().split("\n").map((line) => JSON.parse(line));
}
