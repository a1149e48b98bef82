/** The reload of changed files: once for many writes, never a broken file, and no timer between changes. */
import assert from "node:assert/strict";
import { type ConfigReloadOptions, reloadOnChange } from "../../teleportd/config_reload.ts";
import { parsePolicy } from "../../service/policy/file.ts";

/** The files of a directory that a reload watches, and the values that it has applied. */
async function kept({ watched = true } = {}) {
  const directory = await Deno.makeTempDir({ prefix: "teleport-current-" });
  // By renaming, as the certificate tool does: an incomplete file would be read, refused, and read again.
  const write = async (name: string, text: string) => {
    await Deno.writeTextFile(`${directory}/.new-${name}`, text);
    await Deno.rename(`${directory}/.new-${name}`, `${directory}/${name}`);
  };
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
  const say = (message: string) => {
    said.push(message);
    wake.resolve();
  };
  const options: ConfigReloadOptions = {
    config: { credentials: await readCredentials(), revoked: new Set(), policy: await readPolicy() },
    directories: [watched ? directory : `${directory}/nowhere`],
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
    setCredentials: ({ credentials, revoked }) => {
      if (credentials.cert === "unusable") throw new Error("The certificate is unusable");
      renewed.push({ cert: credentials.cert, revoked: [...revoked] });
    },
    setPolicy: ({ text }) => void policies.push(text),
    log: { error: say, warn: say, info: say, debug: () => {} },
  };
  const changes = reloadOnChange(options);
  return {
    directory,
    write,
    renewed,
    policies,
    said,
    changes,
    /** Has something change, and resolves when it was said what came of it. */
    async heard(wanted: string | RegExp, change: () => Promise<void>): Promise<void> {
      const before = said.length;
      await change();
      const isWanted = (line: string) => typeof wanted === "string" ? line === wanted : wanted.test(line);
      while (!said.slice(before).some(isWanted)) {
        wake = Promise.withResolvers();
        await wake.promise;
      }
    },
    async [Symbol.asyncDispose]() {
      await changes[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

Deno.test("reloadOnChange() applies each changed file alone", async () => {
  await using files = await kept();
  await files.heard("Reloaded the certificates", () => files.write("cert", "2"));
  await files.heard("Reloaded the list of revoked certificates", () => files.write("crl", "0A,0B"));
  await files.heard("Reloaded the policy", () => files.write("policy", '{"roles":{"a":[]}}'));
  assert.deepEqual(files.renewed, [{ cert: "2", revoked: [] }, { cert: "2", revoked: ["0A", "0B"] }]);
  assert.deepEqual(files.policies, ['{"roles":{"a":[]}}']);
  assert.equal(files.said.length, 3);
});

Deno.test("reloadOnChange() keeps the old value when a file is broken, and reports it once", async () => {
  await using files = await kept();
  for (
    const [name, text, sentence] of [
      ["cert", "broken", 'Cannot reload the certificates, the previous version stays in force: "cert" is broken'],
      [
        "cert",
        "unusable",
        "Cannot reload the certificates, the previous version stays in force: The certificate is unusable",
      ],
      ["policy", "{", /^Cannot reload the policy, .* stays in force: Cannot use the policy file: it is not JSON/],
      [
        "crl",
        "broken",
        'Cannot reload the list of revoked certificates, the previous version stays in force: "crl" is broken',
      ],
    ] as const
  ) await files.heard(sentence, () => files.write(name, text));
  assert.deepEqual([files.renewed, files.policies], [[], []]);
  // A broken certificate does not prevent a revocation.
  await files.heard("Reloaded the list of revoked certificates", () => files.write("crl", "0C"));
  assert.deepEqual(files.renewed, [{ cert: "1", revoked: ["0C"] }]);
  await files.heard("Reloaded the certificates", () => files.write("cert", "3"));
  assert.equal(files.said.length, 6, files.said.join("\n"));
});

Deno.test("reloadOnChange() keeps certificates revoked when the list is removed", async () => {
  await using files = await kept();
  await files.heard("Reloaded the list of revoked certificates", () => files.write("crl", "0A"));
  await files.heard(/^Cannot reload the list .*"ca\.crl" is missing/, () => Deno.remove(`${files.directory}/crl`));
  assert.equal(files.renewed.length, 1);
});

Deno.test("reloadOnChange() reloads when a link next to the files is replaced, as Kubernetes does", async () => {
  await using files = await kept();
  const { directory } = files;
  for (const name of ["one", "two"]) {
    await Deno.mkdir(`${directory}/${name}`);
    await Deno.writeTextFile(`${directory}/${name}/policy`, `{"roles":{"${name}":[]}}`);
  }
  await Deno.symlink("one", `${directory}/..data`);
  await files.heard("Reloaded the policy", async () => {
    await Deno.symlink("..data/policy", `${directory}/.link`);
    await Deno.rename(`${directory}/.link`, `${directory}/policy`);
  });
  await files.heard("Reloaded the policy", async () => {
    await Deno.symlink("two", `${directory}/..new`);
    await Deno.rename(`${directory}/..new`, `${directory}/..data`);
  });
  assert.deepEqual(files.policies, ['{"roles":{"one":[]}}', '{"roles":{"two":[]}}']);
});

Deno.test("nudge() reloads when a directory cannot be watched", async () => {
  await using files = await kept({ watched: false });
  assert.match(files.said[0]!, /^Cannot watch .*: send SIGHUP/);
  await files.heard("Reloaded the certificates", async () => {
    await files.write("key", "2");
    files.changes.nudge();
  });
});

Deno.test("reloadOnChange() reads nothing after its disposal", async () => {
  const files = await kept();
  await files.changes[Symbol.asyncDispose]();
  await files.write("cert", "2");
  files.changes.nudge();
  await files[Symbol.asyncDispose]();
  assert.deepEqual(files.renewed, []);
});
