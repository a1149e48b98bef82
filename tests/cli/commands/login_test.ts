/** `teleport login` and `teleport context`: a second machine from one bundle, and the bundles that are refused. */
import assert from "node:assert/strict";
import { makeBundle } from "../../../certs/bundle.ts";
import { initDirectory } from "../../../certs/init.ts";
import { issueClient } from "../../../certs/issue.ts";
import { main } from "../../../cli/main.ts";
import { FakeCallError, FakeIo } from "../../support/fake_io.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A home directory, and bundles of one authority for two users. */
async function machine() {
  const temporary = await tempDir();
  const { path } = temporary;
  const dir = `${path}/certs`;
  await initDirectory({ dir, hosts: ["jobs.example.org"] });
  await issueClient({ dir, name: "ann", roles: ["viewer"] });
  const bundleOf = async (name: string) => (await makeBundle({ dir, name, address: "jobs.example.org:50051" })).text;
  await Deno.mkdir(`${path}/home`);
  return {
    path,
    env: { HOME: `${path}/home` },
    ann: await bundleOf("ann"),
    admin: await bundleOf("admin"),
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

/** Runs a command with a text as the standard input. */
async function run(
  env: Record<string, string>,
  args: string[],
  input = "",
  answer: () => Promise<object> = () => Promise.resolve({ known_roles: [], rules: [] }),
) {
  const io = new FakeIo({ WhoAmI: answer as never });
  io.stdin.send(...(input === "" ? [null] : [input, null]));
  const code = await main(args, env, io);
  return { code, out: io.stdout.text, err: io.stderr.text, io };
}

Deno.test("teleport login sets a machine up from one bundle, for its user only", async () => {
  await using place = await machine();
  const { env, ann } = place;
  const { code, out, err } = await run(env, ["login", "-"], ann);
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(out, 'Logged in to jobs.example.org:50051 as "ann": context "jobs.example.org" is now in use\n');
  const dir = `${env.HOME}/.config/teleport`;
  for (const name of ["ca.crt", "ann.crt", "ann.key"]) {
    assert.equal((await Deno.stat(`${dir}/contexts/jobs.example.org/${name}`)).mode! & 0o777, 0o600);
  }
  assert.equal((await Deno.stat(`${dir}/contexts/jobs.example.org`)).mode! & 0o777, 0o700);
  const me = await run(env, ["whoami", "-v"]);
  assert.match(me.out, /^--address: +jobs\.example\.org:50051 \(from context "jobs\.example\.org"\)$/m);
  assert.match(me.out, /^Context: +jobs\.example\.org \(from config\.toml\)$/m);
  const other = await run({ ...env, TELEPORT_ADDRESS: "b:2" }, ["whoami", "-v", "--identity", "ann"]);
  assert.match(other.out, /^--address: +b:2 \(from TELEPORT_ADDRESS\)$/m);
  assert.match(other.out, /^--identity: +ann \(from --identity\)$/m);
});

Deno.test("teleport login warns when the server does not answer, and keeps the context", async () => {
  await using place = await machine();
  const refused = () => Promise.reject(new FakeCallError("UNAVAILABLE", "Nothing listens there"));
  const { code, err } = await run(place.env, ["login", "-", "--context", "lab"], place.ann, refused);
  assert.equal(code, 0);
  assert.match(err, /^teleport: The context "lab" is set up, but its server cannot be asked: Nothing listens there$/m);
  assert.equal((await run(place.env, ["context", "ls", "-q"])).out, "lab\n");
});

Deno.test("teleport login replaces a context only with --force", async () => {
  await using place = await machine();
  const { env, ann, admin } = place;
  assert.equal((await run(env, ["login", "-"], ann)).code, 0);
  const second = await run(env, ["login", "-"], admin);
  assert.equal(second.code, 2);
  assert.match(second.err, /The context "jobs\.example\.org" exists: give another name with --context NAME/);
  assert.equal((await run(env, ["login", "-", "--force"], admin)).code, 0);
  const files = await Array.fromAsync(Deno.readDir(`${env.HOME}/.config/teleport/contexts/jobs.example.org`));
  assert.deepEqual(files.map(({ name }) => name).sort(), ["admin.crt", "admin.key", "ca.crt"]);
});

Deno.test("teleport login refuses bundles that cannot be used, and changes nothing", async () => {
  await using place = await machine();
  const { ann, admin, env } = place;
  const keyOf = (text: string) => /key = '''[^]*?'''/.exec(text)![0];
  await using foreign = await machine();
  const authorityOf = (text: string) => /authority = '''[^]*?'''/.exec(text)![0];
  const refusals: [string, RegExp][] = [
    ["", /it has no version, so it is not a bundle/],
    [ann.replace("version = 1", "version = 2"), /it has version 2, and this program reads version 1/],
    [ann.replace("version", "more = 1\nversion"), /unknown field "more"/],
    [ann.replace(/address = .*/, ""), /field "address" is missing/],
    [ann.replace(/address = .*/, 'address = "jobs"'), /Invalid address "jobs": give HOST:PORT/],
    [ann.replace(/identity = .*/, 'identity = "../../x"'), /Invalid identity/],
    [ann.replace("identity = ", "identity "), /line \d+, column \d+: /],
    [ann.replace(keyOf(ann), keyOf(admin)), /The certificate and the private key do not match/],
    [ann.replace(authorityOf(ann), authorityOf(foreign.ann)), /authority/],
    ["#".repeat(10_000_000), /it has more than 262144 bytes/],
  ];
  for (const [text, sentence] of refusals) {
    const { code, err } = await run(env, ["login", "-"], text);
    assert.match(err, sentence);
    assert.equal(code, 2, err);
    assert.ok(!err.includes(keyOf(ann).slice(60, 90)), "the error shows nothing of the key");
  }
  assert.deepEqual(await Array.fromAsync(Deno.readDir(env.HOME)), []);
});

Deno.test("teleport login refuses a file that other users can read, and a name with a slash", async () => {
  await using place = await machine();
  await Deno.chmod(place.path, 0o755);
  const path = `${place.path}/ann.bundle`;
  await Deno.writeTextFile(path, place.ann);
  await Deno.chmod(path, 0o644);
  const open = await run(place.env, ["login", path]);
  assert.match(open.err, /other users can read or change it \(mode 0644\); run chmod 600/);
  assert.equal(open.code, 2);
  await Deno.chmod(path, 0o600);
  const named = await run(place.env, ["login", path, "--context", "a/b"]);
  assert.match(named.err, /Invalid context name "a\/b": give up to 64 letters/);
  assert.equal((await run(place.env, ["login", path])).code, 0);
});

Deno.test("teleport context adds, uses, shows and removes contexts", async () => {
  await using place = await machine();
  const { env, ann } = place;
  assert.equal((await run(env, ["login", "-", "--context", "prod"], ann)).code, 0);
  assert.equal((await run(env, ["context", "add", "lab", "--address", "lab:1", "--certs", "/c"])).code, 0);
  const again = await run(env, ["context", "add", "lab", "--address", "lab:2"]);
  assert.match(again.err, /The context "lab" exists: give another name, or replace it with --force/);
  assert.equal(
    (await run(env, ["context", "ls"])).out.split("\n")[2]?.trim().replaceAll(/ +/g, " "),
    "* prod jobs.example.org:50051 ann",
  );
  assert.equal((await run(env, ["context", "use", "lab"])).code, 0);
  assert.match((await run(env, ["context", "show"])).out, /^Name: +lab\nAddress: +lab:1\nCertificates: +\/c$/m);
  assert.match(
    (await run(env, ["context", "use", "nosuch"])).err,
    /Unknown context "nosuch": give one of "lab", "prod"/,
  );
  assert.match((await run(env, ["--context", "nosuch", "list"])).err, /Unknown context "nosuch" from --context/);
  const removed = await run(env, ["context", "rm", "lab", "prod"]);
  assert.deepEqual([removed.code, (await run(env, ["context", "ls", "-q"])).out], [0, ""]);
  assert.match(removed.err, /No context is in use now, "lab" was/);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${env.HOME}/.config/teleport/contexts`)), []);
});
