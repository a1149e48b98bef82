/** The identity and the permissions of a user, as the command line shows them. */
import assert from "node:assert/strict";
import { replaceFile } from "../support/server_place.ts";
import { certs, startServer, teleport } from "../support/programs.ts";

Deno.test("teleport whoami and can-i show the user, the permissions and the rules", async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_identity_" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  await certs("init", "--dir", `${dir}/certs`);
  await certs("client", "ann", "--role", "builder", "--role", "other", "--days", "10", "--dir", `${dir}/certs`);
  const rule = {
    calls: ["all"],
    jobs: "own",
    commands: [{ path: "/bin/echo", args: ["[a-z]+"] }],
    templates: ["greet"],
  };
  const greet = { command: "/bin/echo", args: ["hello", "{who}"], parameters: { who: { enum: ["world", "you"] } } };
  const all = { calls: ["all"], jobs: "all" };
  const policy = { roles: { builder: [rule], admin: [all] }, templates: { greet } };
  await replaceFile(`${dir}/policy.json`, JSON.stringify(policy));
  await using server = await startServer({
    dir,
    initCerts: false,
    jobHost: "none",
    args: ["--policy", `${dir}/policy.json`],
  });
  const ann = (...args: string[]) => teleport(server, "--identity", "ann", ...args);
  const me = await ann("whoami");
  assert.equal(me.code, 0, me.stderr);
  assert.match(
    me.stdout,
    // A new certificate of ten days: the warning starts when a third of them is left.
    /^User: +ann\nRoles: +builder, other\nExpires: +[0-9TZ:-]+$/m,
  );
  assert.match(
    me.stdout,
    /^Known roles: +builder\nRules: +builder\/1: all calls on own jobs, only commands \/bin\/echo, /m,
  );
  const asked: [string[], number, RegExp][] = [
    [["can-i", "list"], 0, /^yes: builder\/1/],
    [["can-i", "register", "--", "/bin/echo", "hi"], 0, /^yes: builder\/1\n$/],
    [["can-i", "register", "--", "/bin/echo", "-n"], 1, /^no: rule "builder\/1" does not allow argument 1, "-n"/],
    [["can-i", "register", "--template", "greet", "--param", "who=you"], 0, /^yes/],
    [["can-i", "register", "--template", "greet", "--param", "who=me"], 1, /^no: Invalid parameter "who", "me"/],
    [["can-i", "stop", "--job", "01890000-0000-7000-8000-000000000000"], 1, /^no: Unknown job/],
  ];
  for (const [args, code, sentence] of asked) {
    const got = await ann(...args);
    assert.equal(got.code, code, got.stderr);
    assert.match(got.stdout, sentence);
  }
  const json = await ann("can-i", "list", "--output", "json");
  assert.deepEqual(JSON.parse(json.stdout).code, "OK");
  const run = await ann("run", "--template", "greet", "--param", "who=world");
  assert.deepEqual([run.code, run.stdout], [0, "hello world\n"]);
  assert.equal((await ann("run", "--", "sh", "-c", "true")).code, 1);
  assert.equal((await ann("run", "--template", "greet", "sh")).code, 2);
});
