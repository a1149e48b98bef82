/** Tests of the authority of a directory. */
import assert from "node:assert/strict";
import { createAuthority, readAuthority } from "../../certs/authority.ts";
import { createCertificate, type KeyPair } from "../../certs/certificate.ts";
import { lifetime } from "../../certs/lifetime.ts";
import { refuses } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

const validity = lifetime({ kind: "authority" });

async function write(dir: string, { certificate, key }: Partial<KeyPair>): Promise<void> {
  if (certificate !== undefined) await Deno.writeTextFile(`${dir}/ca.crt`, certificate);
  if (key !== undefined) await Deno.writeTextFile(`${dir}/ca.key`, key);
}

Deno.test("readAuthority() reads an authority of createAuthority()", async () => {
  await using dir = await tempDir();
  const authority = await createAuthority(validity);
  await write(dir.path, authority);
  assert.deepEqual(await readAuthority(dir.path), authority);
});

Deno.test("readAuthority() refuses a directory without an authority, or without its key", async () => {
  await using dir = await tempDir();
  const { certificate } = await createAuthority(validity);
  await refuses(
    () => readAuthority(`${dir.path}/none`),
    "MISSING",
    /none\/ca\.crt": it does not exist; run "certs init"/,
  );
  await refuses(() => readAuthority(dir.path), "MISSING", /ca\.crt": it does not exist; run "certs init"/);
  await write(dir.path, { certificate });
  await refuses(() => readAuthority(dir.path), "MISSING", /ca\.key": it does not exist; run "certs init"/);
});

Deno.test("readAuthority() refuses an authority that has ended", async () => {
  await using dir = await tempDir();
  await write(dir.path, await createAuthority(validity));
  const justBefore = new Date(validity.notAfter.getTime() - 1);
  assert.deepEqual((await readAuthority(dir.path, justBefore)).notAfter, validity.notAfter);
  await refuses(() => readAuthority(dir.path, validity.notAfter), "UNUSABLE", /ca\.crt": it ended on 20\d\d-/);
});

Deno.test("readAuthority() refuses a certificate that may not sign", async () => {
  await using dir = await tempDir();
  await write(dir.path, await createCertificate({ usage: "client", commonName: "ann", validity }));
  await refuses(() => readAuthority(dir.path), "UNUSABLE", /ca\.crt": it is not the certificate of an authority/);
});

Deno.test("readAuthority() refuses the key of another authority", async () => {
  await using dir = await tempDir();
  const { key } = await createAuthority(validity);
  await write(dir.path, { ...await createAuthority(validity), key });
  await refuses(() => readAuthority(dir.path), "UNUSABLE", /ca\.key": it does not belong to ".*ca\.crt"/);
});

Deno.test("readAuthority() refuses damaged files, and names them", async () => {
  await using dir = await tempDir();
  const { certificate, key } = await createAuthority(validity);
  for (const damaged of ["", "hello", key, certificate.slice(0, 200)]) {
    await write(dir.path, { certificate: damaged, key });
    await refuses(() => readAuthority(dir.path), "UNUSABLE", /ca\.crt": it is not a certificate/);
  }
  for (const damaged of ["", "hello", certificate, key.slice(0, 100)]) {
    await write(dir.path, { certificate, key: damaged });
    await refuses(() => readAuthority(dir.path), "UNUSABLE", /ca\.key": it is not a P-256 or Ed25519 key/);
  }
  await write(dir.path, { certificate: " ".repeat(256 * 1024 + 1) });
  await refuses(() => readAuthority(dir.path), "UNUSABLE", /it has 262145 bytes, and at most 262144/);
});
