/**
 * Variables that Deno itself reads, whatever the permissions, make neither side accept a wrong certificate, write no
 * session key, and move no metrics. Deno runs the sources here: the base of a compiled program cannot be had everywhere.
 */
import assert from "node:assert/strict";
import { ca, issue, type Issued, otherCa } from "../support/certificates.ts";
import { deadline } from "../support/deadline.ts";
import { user } from "../support/identity_certificates.ts";
import { type Server, startServer } from "../support/programs.ts";
import { auditEntries, clientWith, makePlace, replaceFile } from "../support/server_place.ts";
import { refusal } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The variables that add an authority to those of a process, or turn the check of certificates off. */
function trustAlso(authority: string): Record<string, string> {
  return {
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    NODE_EXTRA_CA_CERTS: authority,
    DENO_CERT: authority,
    DENO_TLS_CA_STORE: "system,mozilla",
    SSL_CERT_FILE: authority,
    NODE_OPTIONS: "--use-openssl-ca --use-system-ca",
  };
}

/** Runs `teleport list` with variables, and gives its exit code with its stderr. */
async function list({ address }: Server, certs: string, env: Record<string, string>): Promise<[number, string]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-P=cli", "cli.ts", "list", "--address", address, "--certs", certs],
    cwd: ROOT,
    env,
    stdin: "null",
  });
  const { code, stderr } = await deadline(child.output(), "teleport list", 60_000);
  return [code, new TextDecoder().decode(stderr)];
}

/** Writes the certificates of a client that trusts one authority. */
async function writeClient(dir: string, authority: Issued): Promise<void> {
  const own = await user("admin", "admin");
  await replaceFile(`${dir}/ca.crt`, authority.cert);
  await replaceFile(`${dir}/admin.crt`, own.cert);
  await replaceFile(`${dir}/admin.key`, own.key, 0o600);
}

Deno.test("teleport refuses a wrong server when variables of the runtime tell it to trust that server", async () => {
  await using client = await tempDir();
  await writeClient(client.path, ca);
  await replaceFile(`${client.path}/other.crt`, otherCa.cert);
  const env = trustAlso(`${client.path}/other.crt`);

  await using foreign = await makePlace(otherCa);
  await using stranger = await startServer({ dir: foreign.dir, initCerts: false, jobHost: "none" });
  const [foreignCode, foreignError] = await list(stranger, client.path, env);
  assert.equal(foreignCode, 255);
  assert.match(foreignError, /its certificate is not valid under the CA that this client trusts/);

  await using place = await makePlace();
  const hosts = ["other.example"];
  const misnamed = await issue({ subject: [["CN", "server"]], usage: "server", hosts, issuer: ca });
  await replaceFile(`${place.dir}/certs/server.crt`, misnamed.cert);
  await replaceFile(`${place.dir}/certs/server.key`, misnamed.key, 0o600);
  await using other = await startServer({ dir: place.dir, initCerts: false, jobHost: "none" });
  const [otherCode, otherError] = await list(other, client.path, env);
  assert.equal(otherCode, 255);
  assert.match(otherError, /its certificate is not for "127\.0\.0\.1" but for other\.example/);
});

Deno.test("teleportd refuses a wrong client when variables of the runtime tell it to trust that client", async () => {
  await using place = await makePlace();
  await replaceFile(`${place.dir}/other.crt`, otherCa.cert);
  const env = Object.entries(trustAlso(`${place.dir}/other.crt`)).map(([name, value]) => `${name}=${value}`);
  await using server = await startServer({
    dir: place.dir,
    initCerts: false,
    jobHost: "none",
    starter: ["env", ...env],
  });
  const subject = [["O", "admin"], ["CN", "mallory"]] as const;
  await using mallory = clientWith(server, await issue({ subject, usage: "client", issuer: otherCa }));
  assert.equal((await refusal(mallory.calls.List({}))).status, "UNAVAILABLE");
  await using admin = clientWith(server, await user("admin", "admin"));
  assert.deepEqual((await admin.calls.List({})).jobs, []);
  // The audit log is complete at the end of the server.
  assert.equal(await server.stop(), 0);
  const refused = (await auditEntries(place.dir)).filter(({ event }) => event === "handshake");
  assert.match(String(refused[0]?.rule), /not an accepted authority/);
});

Deno.test("SSLKEYLOGFILE gets no session key of teleport or teleportd", async () => {
  await using place = await makePlace();
  await writeClient(`${place.dir}/certs`, ca);
  const keys = `${place.dir}/keys`;
  await using server = await startServer({
    dir: place.dir,
    initCerts: false,
    starter: ["env", `SSLKEYLOGFILE=${keys}-server`],
  });
  assert.deepEqual(await list(server, `${place.dir}/certs`, { SSLKEYLOGFILE: `${keys}-client` }), [0, ""]);
  for (const path of [`${keys}-server`, `${keys}-client`]) {
    // Deno makes the file, although the command line may write none.
    assert.equal(await Deno.readTextFile(path), "");
  }
});

Deno.test("DENO_SERVE_ADDRESS does not move the metrics of teleportd", async () => {
  // A free port: the runtime would listen there, and the metrics would leave loopback for such an address.
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  taken.close();
  for (const address of [`tcp:127.0.0.1:${port}`, `duplicate,tcp:127.0.0.1:${port}`]) {
    await using server = await startServer({
      starter: ["env", `DENO_SERVE_ADDRESS=${address}`],
      args: ["--metrics", "127.0.0.1:0"],
    });
    const url = new URL(/http:\S+/.exec(await server.says(/ Metrics on /))![0]);
    assert.notEqual(Number(url.port), port);
    assert.equal((await (await fetch(url)).text()).includes("teleport_jobs"), true);
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
  }
});
