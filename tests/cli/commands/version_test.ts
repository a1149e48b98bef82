/** `teleport version`. */
import assert from "node:assert/strict";
import { doFit } from "../../../cli/commands/version.ts";
import { VERSION } from "../../../cli/version.ts";
import type { InfoResponse } from "../../../proto/teleport/v1/job_worker.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";

function server(version: string): FakeIo {
  return new FakeIo({ Info: () => Promise.resolve({ version, runtime_version: "2.9.6" } as InfoResponse) });
}

Deno.test("teleport version opens no connection", async () => {
  const io = new FakeIo();
  assert.equal(await teleport(io, "version"), 0);
  assert.deepEqual([io.stdout.text, io.connections.length], [`${VERSION}\n`, 0]);
});

Deno.test("teleport version --server warns when the two versions do not fit", async () => {
  const same = server(VERSION);
  assert.equal(await teleport(same, "version", "--server"), 0);
  assert.equal(same.stdout.text, `Client: ${VERSION}\nServer: ${VERSION} (Deno 2.9.6)\n`);
  assert.equal(same.stderr.text, "");
  const other = server("7.0.0");
  assert.equal(await teleport(other, "version", "--server", "-o", "json"), 0);
  assert.deepEqual(JSON.parse(other.stdout.text).fits, false);
  assert.match(other.stderr.text, /the server 7\.0\.0: use the same first two numbers/);
});

Deno.test("versions fit when their first two numbers are the same", () => {
  assert.ok(doFit("1.2.3", "1.2.9-rc.1"));
  for (const other of ["1.3.3", "2.2.3", "1.2", "", "x"]) assert.ok(!doFit("1.2.3", other));
  assert.ok(!doFit("x", "x"));
});
