/** resolveConfig(), and the reading of certificate files. */
import assert from "node:assert/strict";
import { CertificateFilesError, connectAs, readCertificate, readCredentials } from "../../cli/certificate_files.ts";
import { resolveConfig } from "../../cli/config.ts";
import { NotUtf8Error } from "../../text/decoded.ts";
import { UsageError } from "../../units/usage_error.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("resolveConfig() takes flags before the environment", () => {
  const env = { TELEPORT_ADDRESS: "a:1", TELEPORT_CERTS: "/a", TELEPORT_IDENTITY: "a", HOME: "/h" };
  assert.deepEqual(resolveConfig({ address: "b:2", certs: "/b", identity: "b" }, env), {
    address: "b:2",
    certsDir: "/b",
    identity: "b",
  });
});

Deno.test("resolveConfig() takes the environment before the defaults", () => {
  const env = { TELEPORT_ADDRESS: "a:1", TELEPORT_CERTS: "/a", TELEPORT_IDENTITY: "a", HOME: "/h" };
  assert.deepEqual(resolveConfig({}, env), { address: "a:1", certsDir: "/a", identity: "a" });
});

Deno.test("resolveConfig() uses defaults for absent and empty variables", () => {
  const wanted = { address: "127.0.0.1:50051", certsDir: "/h/.config/teleport", identity: "admin" };
  assert.deepEqual(resolveConfig({}, { HOME: "/h" }), wanted);
  const empty = { TELEPORT_ADDRESS: "", TELEPORT_CERTS: "", TELEPORT_IDENTITY: "", XDG_CONFIG_HOME: "", HOME: "/h" };
  assert.deepEqual(resolveConfig({}, empty), wanted);
});

Deno.test("resolveConfig() finds certificates under XDG_CONFIG_HOME, unless it is relative", () => {
  assert.equal(resolveConfig({}, { XDG_CONFIG_HOME: "/x", HOME: "/h" }).certsDir, "/x/teleport");
  assert.equal(resolveConfig({}, { XDG_CONFIG_HOME: "x", HOME: "/h" }).certsDir, "/h/.config/teleport");
});

Deno.test("resolveConfig() refuses an environment without a certificate directory", () => {
  assert.throws(
    () => resolveConfig({}, {}),
    (error) => error instanceof UsageError && /--certs DIR/.test(error.message),
  );
});

for (const address of ["127.0.0.1:1", "localhost:65535", "[::1]:50051", "my-host.example:443"]) {
  Deno.test(`resolveConfig() takes the address ${address}`, () => {
    assert.equal(resolveConfig({ address, certs: "/a" }, {}).address, address);
  });
}

for (const address of ["", "localhost", "localhost:", ":50051", "::1:50051", "a:0", "a:65536", "http://a:1", "a b:1"]) {
  Deno.test(`resolveConfig() refuses the address "${address}"`, () => {
    assert.throws(
      () => resolveConfig({ address, certs: "/a" }, {}),
      (error) =>
        error instanceof UsageError && error.message.startsWith(`Invalid address "${address}": give HOST:PORT`),
    );
  });
}

for (const identity of ["", "../ca", "a/b", "/etc/shadow", ".hidden", "a\0b"]) {
  Deno.test(`resolveConfig() refuses the identity ${JSON.stringify(identity)}`, () => {
    assert.throws(() => resolveConfig({ identity, certs: "/a" }, {}), UsageError);
  });
}

Deno.test("resolveConfig() refuses an empty --certs", () => {
  assert.throws(() => resolveConfig({ certs: "" }, { HOME: "/h" }), UsageError);
});

Deno.test("readCredentials() reads the three files of the identity", async () => {
  await using temporary = await tempDir();
  const certsDir = temporary.path;
  for (const name of ["ca.crt", "ada.crt", "ada.key"]) await Deno.writeTextFile(`${certsDir}/${name}`, `${name}!`);
  const config = { address: "a:1", certsDir, identity: "ada" };
  assert.deepEqual(await readCredentials(config), { ca: "ca.crt!", cert: "ada.crt!", key: "ada.key!" });
  assert.equal(await readCertificate(config), "ada.crt!");
});

Deno.test("readCredentials() names the missing file and the next step", async () => {
  await using temporary = await tempDir();
  const certsDir = temporary.path;
  for (const name of ["ca.crt", "ada.crt"]) await Deno.writeTextFile(`${certsDir}/${name}`, "");
  await assert.rejects(readCredentials({ address: "a:1", certsDir, identity: "ada" }), (error) => {
    assert.ok(error instanceof CertificateFilesError);
    assert.match(
      error.message,
      /^Cannot read ".*\/ada\.key": no such file or directory \(ENOENT\): give the directory with --certs .* "teleport login"$/,
    );
    return true;
  });
});

Deno.test("readCredentials() explains why a file cannot be read", async () => {
  await using temporary = await tempDir();
  const certsDir = temporary.path;
  for (const name of ["ca.crt", "ada.crt"]) await Deno.writeTextFile(`${certsDir}/${name}`, "");
  await Deno.mkdir(`${certsDir}/ada.key`);
  await assert.rejects(
    readCredentials({ address: "a:1", certsDir, identity: "ada" }),
    (error) => error instanceof CertificateFilesError && /ada\.key": is a directory \(EISDIR\): /i.test(error.message),
  );
});

Deno.test("readCredentials() names the part of the path that fails, and the reason", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  await Deno.writeTextFile(`${dir}/file`, "");
  await Deno.symlink("loop", `${dir}/loop`);
  for (
    const [certsDir, why] of [
      [`${dir}/none/certs`, `no such file or directory (ENOENT): "${dir}/none"`],
      [`${dir}/file`, "not a directory (ENOTDIR)"],
      [`${dir}/file/certs`, `not a directory (ENOTDIR): "${dir}/file/certs"`],
      [`${dir}/loop`, `too many levels of symbolic links (ELOOP): "${dir}/loop"`],
      [`${dir}/loop/certs`, `too many levels of symbolic links (ELOOP): "${dir}/loop"`],
      [`${dir}/${"x".repeat(300)}`, `file name too long (ENAMETOOLONG): "${dir}/${"x".repeat(300)}"`],
    ] as const
  ) {
    await assert.rejects(readCredentials({ address: "a:1", certsDir, identity: "ada" }), (error) => {
      assert.ok(error instanceof CertificateFilesError);
      assert.ok(error.message.startsWith(`Cannot read "${certsDir}/ca.crt": ${why}: give`), error.message);
      return true;
    });
  }
});

Deno.test("connectAs() names the file that cannot be used", async () => {
  await using temporary = await tempDir();
  const certsDir = temporary.path;
  for (const name of ["ca.crt", "ada.crt", "ada.key"]) {
    await Deno.writeTextFile(`${certsDir}/${name}`, "", { mode: 0o600 });
  }
  for (const [part, name] of [["ca", "ca.crt"], ["cert", "ada.crt"], ["key", "ada.key"]] as const) {
    const io = { connect: () => Promise.reject(new CertificateFilesError("It is damaged", { part })) };
    await assert.rejects(connectAs(io, { address: "a:1", certsDir, identity: "ada" }), {
      name: "CertificateFilesError",
      message: `Cannot use "${certsDir}/${name}": It is damaged`,
    });
  }
});

Deno.test("resolveConfig() refuses a variable that is not UTF-8 only when it decides", () => {
  for (const name of ["TELEPORT_ADDRESS", "TELEPORT_CERTS", "TELEPORT_IDENTITY", "XDG_CONFIG_HOME", "HOME"]) {
    const env = { HOME: "/h", [name]: "/\ufffd" };
    assert.throws(
      () => resolveConfig({}, env),
      (error) => error instanceof NotUtf8Error && error.message.startsWith(`The environment variable ${name} is not `),
    );
    resolveConfig({ address: "a:1", certs: "/c", identity: "i" }, env);
  }
});
