/** The certificates that stay revoked although the current list does not name them. */
import assert from "node:assert/strict";
import { type KnownAuthority, RevocationMemory } from "../../teleportd/revocation_memory.ts";
import { MAX_SERIAL_BYTES } from "../../trust/certificate.ts";
import { StartError } from "../../teleportd/start_error.ts";

const [ONE, TWO, THREE] = ["1", "2", "3"].map((digit) => ({
  fingerprint: digit.repeat(64),
  issuer: `a${digit}`.repeat(32),
})) as [KnownAuthority, KnownAuthority, KnownAuthority];

async function temporaryFile(): Promise<AsyncDisposable & { readonly dir: string; readonly path: string }> {
  const dir = await Deno.makeTempDir({ prefix: "teleport-revoked-" });
  return { dir, path: `${dir}/revoked.json`, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

const sorted = (keys: ReadonlySet<string>) => [...keys].sort();
const of = ({ issuer }: KnownAuthority, ...serials: string[]) => serials.map((serial) => `${issuer}:${serial}`);
const set = (...keys: string[][]) => new Set(keys.flat());

Deno.test("add() keeps certificates revoked that a later list does not name, also after a restart", async () => {
  await using file = await temporaryFile();
  const memory = await RevocationMemory.open(file.path);
  assert.deepEqual(sorted(memory.add(set(of(ONE, "0A", "0B")), [ONE])), of(ONE, "0A", "0B"));
  assert.equal(memory.lacking, 0);
  assert.deepEqual(sorted(memory.add(set(of(ONE, "0A", "0C")), [ONE])), of(ONE, "0A", "0B", "0C"));
  assert.equal(memory.lacking, 1);
  await memory.save();
  const next = await RevocationMemory.open(file.path);
  assert.deepEqual(sorted(next.add(new Set(), [ONE])), of(ONE, "0A", "0B", "0C"));
  assert.equal(next.lacking, 3);
});

Deno.test("open() never reads another certificate from a file with one flipped bit", async () => {
  await using file = await temporaryFile();
  const keys = of(ONE, "0A", "0B");
  const memory = await RevocationMemory.open(file.path);
  memory.add(set(keys), [ONE]);
  await memory.save();
  const whole = await Deno.readFile(file.path);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const damaged = whole.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    await Deno.writeFile(file.path, damaged);
    try {
      const read = await RevocationMemory.open(file.path);
      assert.deepEqual(sorted(read.add(new Set(), [ONE])), keys, `bit ${bit}`);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
    }
  }
});

Deno.test("open() reads the longest serial number that a list may have", async () => {
  await using file = await temporaryFile();
  const keys = of(ONE, "7F".repeat(21), "7F".repeat(MAX_SERIAL_BYTES));
  const memory = await RevocationMemory.open(file.path);
  memory.add(set(keys), [ONE]);
  await memory.save();
  assert.deepEqual(sorted((await RevocationMemory.open(file.path)).add(new Set(), [ONE])), sorted(set(keys)));
});

Deno.test("add() keeps the serial numbers of two authorities apart", async () => {
  await using file = await temporaryFile();
  const memory = await RevocationMemory.open(file.path);
  assert.deepEqual(sorted(memory.add(set(of(ONE, "01")), [ONE, TWO])), of(ONE, "01"));
  await memory.save();
  const next = await RevocationMemory.open(file.path);
  // An authority that is not trusted now lacks nothing, and its certificates are kept.
  assert.deepEqual(sorted(next.add(set(of(THREE, "02")), [THREE])), [...of(ONE, "01"), ...of(THREE, "02")]);
  assert.equal(next.lacking, 0);
});

Deno.test("add() applies the file of an older version to every trusted authority", async () => {
  await using file = await temporaryFile();
  await Deno.writeTextFile(file.path, JSON.stringify({ authorities: [ONE.fingerprint], serials: ["0A", "01"] }));
  const memory = await RevocationMemory.open(file.path);
  // These authorities are unknown, so the old contents wait, also on the disk.
  assert.deepEqual(sorted(memory.add(set(of(THREE, "0B")), [THREE])), of(THREE, "0B"));
  await memory.save();
  const next = await RevocationMemory.open(file.path);
  const both = [...of(ONE, "01", "0A"), ...of(TWO, "01", "0A"), ...of(THREE, "0B")];
  assert.deepEqual(sorted(next.add(set(of(ONE, "0A")), [ONE, TWO])), both);
  assert.equal(next.lacking, 2, "serial number 01 of two authorities");
  await next.save();
  // The old contents count once. A later authority has serial numbers of its own.
  const last = await RevocationMemory.open(file.path);
  const added = set(of(THREE, "0B"));
  assert.deepEqual(sorted(last.add(added, [THREE, ONE])), both);
});

Deno.test("save() writes only changes, in a file that only its owner can read", async () => {
  await using file = await temporaryFile();
  const memory = await RevocationMemory.open(file.path);
  memory.add(new Set(), [ONE]);
  await memory.save();
  assert.deepEqual([...Deno.readDirSync(file.dir)], []);
  memory.add(set(of(ONE, "0A")), [ONE]);
  await memory.save();
  const before = await Deno.stat(file.path);
  assert.equal(before.mode! & 0o777, 0o600);
  memory.add(set(of(ONE, "0A")), [ONE]);
  await memory.save();
  assert.equal((await Deno.stat(file.path)).ino, before.ino);
  memory.add(set(of(ONE, "0B")), [ONE]);
  await memory.save();
  assert.notEqual((await Deno.stat(file.path)).ino, before.ino);
  assert.deepEqual([...Deno.readDirSync(file.dir)].map(({ name }) => name), ["revoked.json"]);
});

Deno.test("save() rejects when it cannot write, keeps certificates revoked, and writes later", async () => {
  await using file = await temporaryFile();
  const memory = await RevocationMemory.open(`${file.dir}/later/revoked.json`);
  memory.add(set(of(ONE, "0A")), [ONE]);
  await assert.rejects(memory.save(), Deno.errors.NotFound);
  assert.deepEqual(sorted(memory.add(new Set(), [ONE])), of(ONE, "0A"));
  await Deno.mkdir(`${file.dir}/later`);
  await memory.save();
  const next = await RevocationMemory.open(`${file.dir}/later/revoked.json`);
  assert.deepEqual(sorted(next.add(new Set(), [ONE])), of(ONE, "0A"));
});

const damaged: [string, string][] = [
  ["empty", ""],
  ["cut off", `{"authorities":["${ONE.fingerprint}"],"serials":["0A"`],
  ["no object", "null"],
  ["of a version to come", '{"version":3,"revoked":{}}'],
  ["without what was revoked", '{"version":2}'],
  ["with an unknown issuer", '{"version":2,"revoked":{"x":["0A"]}}'],
  ["without serial numbers", `{"authorities":["${ONE.fingerprint}"]}`],
  ["without authorities", '{"serials":["0A"]}'],
  ["with other authorities", '{"authorities":["x"],"serials":["0A"]}'],
  ["with half a byte", `{"authorities":["${ONE.fingerprint}"],"serials":["A"]}`],
  ["in lower case", `{"authorities":["${ONE.fingerprint}"],"serials":["0a"]}`],
  ["with a number", `{"authorities":["${ONE.fingerprint}"],"serials":[10]}`],
];

for (const [what, text] of damaged) {
  Deno.test(`open() refuses a damaged file: ${what}`, async () => {
    await using file = await temporaryFile();
    await Deno.writeTextFile(file.path, text);
    await assert.rejects(RevocationMemory.open(file.path), (error) => {
      assert.ok(error instanceof StartError);
      assert.match(
        error.message,
        /revoked\.json", .*: it is damaged; restore it, or remove it once "ca\.crl" names every/,
      );
      return true;
    });
  });
}

Deno.test("open() refuses a file that cannot be read or is too large", async () => {
  await using file = await temporaryFile();
  await Deno.mkdir(file.path);
  await assert.rejects(RevocationMemory.open(file.path), { message: /^Cannot read ".*revoked\.json": / });
  await Deno.remove(file.path);
  using large = await Deno.create(file.path);
  await large.truncate(100_000_000);
  await assert.rejects(RevocationMemory.open(file.path), { message: /^Cannot read .*: it has 100000000 bytes/ });
});
