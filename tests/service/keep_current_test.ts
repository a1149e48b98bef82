/** Taking up changed files: once for many writes, never a broken one, and nothing runs in between. */
import assert from "node:assert/strict";
import { keepCurrent, type KeepCurrentOptions } from "../../service/keep_current.ts";
import { parsePolicy } from "../../service/policy_file.ts";
import { strict } from "./fixture.ts";

/** Files of a directory that are kept current, and what became of them. */
async function kept() {
  const directory = await Deno.makeTempDir({ prefix: "teleport-current-" });
  const write = (name: string, text: string) => Deno.writeTextFile(`${directory}/${name}`, text);
  const read = async (name: string) => {
    const text = await Deno.readTextFile(`${directory}/${name}`);
    if (text === "broken") throw new Error(`"${name}" is broken`);
    return text;
  };
  await Promise.all(["ca", "cert", "key"].map((name) => write(name, "1")));
  await write("policy", '{"roles":{}}');
  const renewed: { cert: string; revoked: string[] }[] = [];
  const policies: string[] = [];
  const said: string[] = [];
  let wake = Promise.withResolvers<void>();
  const readCredentials = async () => ({ ca: await read("ca"), cert: await read("cert"), key: await read("key") });
  const readPolicy = async () => {
    const text = await read("policy");
    return { text, policy: parsePolicy(text) };
  };
  const options: KeepCurrentOptions = {
    identity: { credentials: await readCredentials(), revoked: new Set(), policy: await readPolicy() },
    directories: [directory],
    readCredentials,
    readRevoked: async () => {
      try {
        return new Set((await read("crl")).split(","));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
    },
    readPolicy,
    renew: ({ credentials, revoked }) => {
      if (credentials.cert === "unusable") throw new Error("The certificate is unusable");
      renewed.push({ cert: credentials.cert, revoked: [...revoked] });
    },
    setPolicy: ({ text }) => void policies.push(text),
    say: (line) => {
      said.push(line);
      wake.resolve();
    },
  };
  const changes = keepCurrent(options);
  return {
    directory,
    write,
    renewed,
    policies,
    said,
    changes,
    /** Resolves when something was said since the call. */
    async heard(): Promise<string> {
      wake = Promise.withResolvers();
      const before = said.length;
      await wake.promise;
      return said[before]!;
    },
    async [Symbol.asyncDispose]() {
      await changes[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

Deno.test("a changed file is taken up, each part for itself", strict, async () => {
  await using files = await kept();
  let heard = files.heard();
  await files.write("cert", "2");
  assert.equal(await heard, "took up new certificates");
  heard = files.heard();
  await files.write("crl", "0A,0B");
  assert.equal(await heard, "took up new list of revoked certificates");
  heard = files.heard();
  await files.write("policy", '{"roles":{"a":[]}}');
  assert.equal(await heard, "took up new policy");
  assert.deepEqual(files.renewed, [{ cert: "2", revoked: [] }, { cert: "2", revoked: ["0A", "0B"] }]);
  assert.deepEqual(files.policies, ['{"roles":{"a":[]}}']);
});

Deno.test("a broken file is refused, the old one stays in force, and that is said once", strict, async () => {
  await using files = await kept();
  for (
    const [name, text, sentence] of [
      ["cert", "broken", 'kept the certificates in force: "cert" is broken'],
      ["cert", "unusable", "kept the certificates in force: The certificate is unusable"],
      ["policy", "{", /^kept the policy in force: Policy file is no JSON/],
      ["crl", "broken", 'kept the list of revoked certificates in force: "crl" is broken'],
    ] as const
  ) {
    const heard = files.heard();
    await files.write(name, text);
    const said = await heard;
    if (typeof sentence === "string") assert.equal(said, sentence);
    else assert.match(said, sentence);
  }
  assert.deepEqual([files.renewed, files.policies], [[], []]);
  // A broken certificate does not keep a revocation from being taken up.
  const heard = files.heard();
  await files.write("crl", "0C");
  assert.equal(await heard, "took up new list of revoked certificates");
  assert.deepEqual(files.renewed, [{ cert: "1", revoked: ["0C"] }]);
  const again = files.heard();
  await files.write("cert", "3");
  assert.equal(await again, "took up new certificates");
  assert.equal(files.said.filter((line) => /cert" is broken/.test(line)).length, 1);
});

Deno.test("a list that is taken away leaves everybody revoked who was", strict, async () => {
  await using files = await kept();
  let heard = files.heard();
  await files.write("crl", "0A");
  await heard;
  heard = files.heard();
  await Deno.remove(`${files.directory}/crl`);
  assert.match(await heard, /^kept the list of revoked certificates.*There is none any more/);
  assert.equal(files.renewed.length, 1);
});

Deno.test("a link that is exchanged beside the files is noticed, as Kubernetes does it", strict, async () => {
  await using files = await kept();
  const { directory } = files;
  await Deno.remove(`${directory}/policy`);
  await Deno.mkdir(`${directory}/one`);
  await Deno.mkdir(`${directory}/two`);
  await Deno.writeTextFile(`${directory}/one/policy`, '{"roles":{"one":[]}}');
  await Deno.writeTextFile(`${directory}/two/policy`, '{"roles":{"two":[]}}');
  await Deno.symlink("one", `${directory}/..data`);
  await Deno.symlink("..data/policy", `${directory}/policy`);
  while (files.policies.length === 0) await files.heard();
  const heard = files.heard();
  await Deno.symlink("two", `${directory}/..new`);
  await Deno.rename(`${directory}/..new`, `${directory}/..data`);
  assert.equal(await heard, "took up new policy");
  assert.equal(files.policies.at(-1), '{"roles":{"two":[]}}');
});

Deno.test("a nudge has the files read where nothing can be watched", strict, async () => {
  await using files = await kept();
  const heard = files.heard();
  files.changes.nudge();
  await files.write("key", "2");
  files.changes.nudge();
  assert.equal(await heard, "took up new certificates");
});

Deno.test("after it was disposed of nothing is read any more", strict, async () => {
  const files = await kept();
  await files.changes[Symbol.asyncDispose]();
  await files.write("cert", "2");
  files.changes.nudge();
  await files[Symbol.asyncDispose]();
  assert.deepEqual(files.renewed, []);
});
