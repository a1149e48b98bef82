/** `teleport whoami`: the client's certificate, the authorities, and the server's answer. */
import assert from "node:assert/strict";
import { main } from "../../../cli/main.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";
import { tempDir } from "../../support/temp_dir.ts";

const testdata = new URL("../testdata", import.meta.url).pathname;

Deno.test("teleport whoami prints the identity from its certificate without a connection", async () => {
  const io = new FakeIo();
  assert.equal(await main(["whoami", "--certs", testdata, "--identity", "ada"], {}, io), 0);
  assert.equal(
    io.stdout.text,
    [
      "Identity:    ada",
      "User:        ada",
      "Roles:       operator, viewer",
      "Expires:     2126-10-31T08:43:21Z",
      "Fingerprint: 50102b7369bbe1db5ddbd11f963011c6750125de33f236c6845057659f0cdc3b",
      "Address:     127.0.0.1:50051",
      "",
    ].join("\n"),
  );
  assert.equal(io.connections.length, 0);
});

Deno.test("teleport whoami reports an expired certificate, and prints one role as a list", async () => {
  const io = new FakeIo();
  assert.equal(await main(["whoami", "--certs", testdata, "--identity", "expired"], {}, io), 0);
  assert.match(io.stdout.text, /^Expires: {5}2020-01-02T00:00:00Z \(expired\)$/m);
  const json = new FakeIo();
  assert.equal(await main(["whoami", "--certs", testdata, "--identity", "expired", "--output", "json"], {}, json), 0);
  const me = JSON.parse(json.stdout.text);
  assert.deepEqual([me.identity, me.user, me.roles, me.expires_at], [
    "expired",
    "old",
    ["operator"],
    "2020-01-02T00:00:00Z",
  ]);
});

Deno.test("teleport whoami exits 255 when the file is not a certificate", async () => {
  const io = new FakeIo();
  assert.equal(await teleport(io, "whoami"), 255);
  assert.match(io.stderr.text, /admin\.crt": the file is not a certificate in PEM/);
});

Deno.test("teleport whoami warns of an expired authority", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;

  await Deno.copyFile(`${testdata}/ada.crt`, `${dir}/ada.crt`);
  // Some editors write a byte order mark.
  await Deno.writeTextFile(`${dir}/ca.crt`, `\u{feff}${await Deno.readTextFile(`${testdata}/expired.crt`)}`);
  const io = new FakeIo();
  assert.equal(await main(["whoami", "--certs", dir, "--identity", "ada", "--output", "json"], {}, io), 0);
  assert.match(
    io.stderr.text,
    /^teleport: The authority "CN=old, O=operator" ended on 2020-01-02: ask for a new ca\.crt/m,
  );
  assert.deepEqual(JSON.parse(io.stdout.text).authorities_expire_at, ["2020-01-02T00:00:00Z"]);
});

Deno.test("teleport whoami prints why the server did not answer, and exits 0", async () => {
  const io = new FakeIo();
  assert.equal(await main(["whoami", "--certs", testdata, "--identity", "ada"], {}, io), 0);
  assert.match(io.stderr.text, /^teleport: Cannot ask the server for your roles and rules: Cannot read ".*ca\.crt"/);
  const json = new FakeIo();
  assert.equal(await main(["whoami", "--certs", testdata, "--identity", "ada", "--output", "json"], {}, json), 0);
  assert.match(JSON.parse(json.stdout.text).server_error, /Cannot read/);
});
