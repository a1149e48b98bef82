/**
 * A server whose clock is before the dates of its certificates starts, and takes calls once the clock is right. The test
 * cannot set the clock, so the certificates become valid later. The section `faults` of `tests/host/` sets the clock.
 */
import assert from "node:assert/strict";
import { sleep } from "../../base/backoff.ts";
import { ca, issue } from "../support/certificates.ts";
import { user } from "../support/identity_certificates.ts";
import { startServer, teleportd } from "../support/programs.ts";
import { auditEntries, clientWith, makePlace, replaceFile } from "../support/server_place.ts";
import { finalOf, refusal } from "../support/server_process.ts";

/** Enough for the start of a server on a busy machine. */
const LATER_MS = 20_000;
const DAY_MS = 86_400_000;

Deno.test("teleportd starts with certificates that are not valid yet, and takes calls when they are", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const from = LATER_MS / DAY_MS;
  const hosts = ["localhost", "127.0.0.1"];
  const own = await issue({ subject: [["CN", "server"]], usage: "server", hosts, issuer: ca, from });
  await replaceFile(`${dir}/certs/server.crt`, own.cert);
  await replaceFile(`${dir}/certs/server.key`, own.key, 0o600);
  const admin = await user("admin", "admin", { from });
  await using server = await startServer({ dir, initCerts: false });
  const line = await server.says(/"server.crt" is not accepted/);
  assert.match(line, /is not valid before "[^"]+", and the clock says "/);
  {
    await using client = clientWith(server, admin);
    const { status, message } = await refusal(client.calls.List({}));
    assert.ok(status === "UNAVAILABLE" && /valid/.test(message), message);
  }
  await sleep(Math.max(0, admin.certificate.notBefore.getTime() + 1_000 - Date.now()));
  await using client = clientWith(server, admin);
  const { id } = await client.calls.Register({ command: "true" });
  for await (const _status of client.calls.Start({ id }));
  assert.equal((await finalOf(client.calls, id)).state, "STATE_EXITED");
  assert.equal(await server.stop(), 0);
  assert.ok((await auditEntries(dir)).some(({ event, allowed }) => event === "call" && allowed === true));
  assert.equal((await teleportd("audit", "verify", `${dir}/data/audit`)).code, 0);
});
