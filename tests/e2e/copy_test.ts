/** `teleport cp` with real programs: trees in both directions, broken connections, full disks and interruptions. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { type Server, spawnTeleport, startServer, teleport, teleportOk } from "../support/programs.ts";
import { needingDisk, onDisk } from "../support/small_disk.ts";
import { skippedIf } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";
import { Proxy } from "./proxy.ts";
import { noTerminal, onTerminal } from "./terminal.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs a shell script that must succeed, and gives its output. */
async function shell(script: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", script, "sh", ...args] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder("latin1").decode(stdout);
}

/** Describes every file of a tree: type, mode, time, name, and its content or link. */
async function describe(directory: string): Promise<string> {
  const script = `cd "$1" && find . -exec stat -c '%f %Y %n %N' {} + | sort && find . -type f -exec cksum {} + | sort`;
  return await shell(script, directory);
}

/** Gives the names in a directory. */
function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

async function nothingStays(server: Server, ...directories: string[]): Promise<void> {
  assert.equal(await teleportOk(server, "list", "--output", "json"), "");
  for (const directory of directories) {
    assert.deepEqual(namesIn(directory).filter((name) => name.startsWith(".teleport-cp")), []);
  }
}

Deno.test("teleport cp copies trees in both directions with their names, modes, times and links", async () => {
  await using server = await startServer();
  await using temporary = await tempDir();
  const { path: dir } = temporary;
  await shell(
    `cd "$1" && mkdir -p tree/empty tree/sub/deep up down && cd tree &&
    printf data > "$(printf 'new\\nline')" && printf data > "$(printf 'not-utf8-\\377\\376')" && printf x > -dash &&
    touch .hidden ..odd 'a space' && ln -s ../outside sub/link && ln -s /nowhere dangling && ln -- -dash hard &&
    head -c 3000000 /dev/urandom > sub/deep/large && chmod 750 sub && chmod 444 .hidden && chmod 2771 sub/deep &&
    touch -d 2001-02-03T04:05:06Z -- -dash && touch -d 1999-01-01T00:00:00Z empty`,
    dir,
  );
  const wanted = await describe(`${dir}/tree`);
  await teleportOk(server, "cp", `${dir}/tree`, `:${dir}/up`);
  assert.equal(await describe(`${dir}/up/tree`), wanted);
  await teleportOk(server, "cp", `:${dir}/up/tree`, `${dir}/down/other name`);
  assert.equal(await describe(`${dir}/down/other name`), wanted);
  // Again: the directory is there, so the copy gets its name in it, and merges with the one that has it.
  await teleportOk(server, "cp", `${dir}/tree`, `:${dir}/up`);
  assert.equal(await describe(`${dir}/up/tree`), wanted);
  await teleportOk(server, "cp", `:${dir}/up/tree/.`, `${dir}/down/other name`);
  assert.equal(await describe(`${dir}/down/other name/sub`), await describe(`${dir}/tree/sub`));

  const copied = JSON.parse(await teleportOk(server, "cp", "--output", "json", `:${dir}/tree/-dash`, `${dir}/file`));
  assert.equal(copied.path, `${dir}/file`);
  assert.match(copied.sha256, /^[0-9a-f]{64}$/);
  assert.equal(await Deno.readTextFile(`${dir}/file`), "x");
  await nothingStays(server, dir, `${dir}/up`, `${dir}/down`);
});

Deno.test("teleport cp refuses what it cannot copy in a sentence, and leaves nothing", async () => {
  await using server = await startServer({ jobHost: "none" });
  await using temporary = await tempDir();
  const { path: dir } = temporary;
  await Deno.writeTextFile(`${dir}/file`, "x");
  await Deno.symlink("nothing", `${dir}/dangling`);
  const cases: [string, string, number, RegExp][] = [
    ["/dev/zero", `:${dir}`, 1, /Cannot copy "\/dev\/zero": '\/dev\/zero' is neither a file nor a directory/],
    [":/dev/zero", dir, 1, /Cannot copy ":\/dev\/zero": '\/dev\/zero' is neither a file nor a directory/],
    [`${dir}/nothing`, `:${dir}`, 1, /'.*nothing' does not exist/],
    [`:${dir}/dangling`, dir, 1, /'.*dangling' is a symbolic link to nothing/],
    [`${dir}/file`, `:${dir}/no/such`, 1, /Cannot copy to ":.*such": the directory '.*no\/' does not exist/],
    [`:${dir}/file`, `${dir}/no/such`, 1, /Cannot copy to ".*such": the directory '.*no\/' does not exist/],
    [`${dir}`, `:${dir}/file`, 1, /file' is not a directory/],
    [`${dir}/file`, `:${dir}/file/`, 1, /file\/' is not a directory/],
    ["a", "b", 2, /Neither path is on the server: begin one of them with a colon/],
    [":a", ":b", 2, /Both paths are on the server/],
    [":", "b", 2, /Empty SOURCE/],
  ];
  for (const [from, to, code, message] of cases) {
    const ended = await teleport(server, "cp", from, to);
    assert.match(ended.stderr, message);
    assert.equal(ended.code, code, ended.stderr);
  }
  const asNobody = await teleport(server, "cp", "--user", "no-such-user", `${dir}/file`, `:${dir}/new`);
  assert.match(asNobody.stderr, /Cannot copy to ".*new": .*no-such-user/);
  assert.deepEqual(namesIn(dir), ["dangling", "file"]);
  await nothingStays(server, dir);
});

/** Breaks the connections of a proxy each time some bytes have passed. */
function cutOften(proxy: Proxy, everyBytes: number, most: number): { readonly cuts: number } {
  const state = { cuts: 0 };
  let next = everyBytes;
  proxy.onBytes = () => {
    const bytes = proxy.bytes + proxy.sentBytes;
    if (bytes < next || state.cuts === most) return;
    state.cuts += 1;
    next = bytes + everyBytes;
    proxy.cut();
  };
  return state;
}

for (const direction of ["to", "from"] as const) {
  Deno.test(`teleport cp ${direction} the server continues when the connection breaks ten times`, async () => {
    await using server = await startServer();
    await using proxy = new Proxy(server.address);
    await using temporary = await tempDir();
    const { path: dir } = temporary;
    await shell(`head -c 40000000 /dev/urandom > "$1/large"`, dir);
    const cutting = cutOften(proxy, 3_500_000, 10);
    const [from, to] = direction === "to" ? [`${dir}/large`, `:${dir}/copy`] : [`:${dir}/large`, `${dir}/copy`];
    await teleportOk({ address: proxy.address, dir: server.dir }, "cp", from, to);
    assert.equal(cutting.cuts, 10);
    await shell(`cmp "$1/large" "$1/copy"`, dir);
    await nothingStays(server, dir);
  });
}

Deno.test({
  ...needingDisk("teleport cp onto a full disk fails in a sentence, and the file that was there stays"),
  fn: () =>
    onDisk(2, async (disk) => {
      await using server = await startServer();
      await using temporary = await tempDir();
      await shell(`head -c 8000000 /dev/urandom > "$1/large"`, temporary.path);
      await Deno.writeTextFile(`${disk}/large`, "before");
      const large = `${temporary.path}/large`;
      for (const [from, to] of [[large, `:${disk}`], [`:${large}`, disk]] as const) {
        const { code, stderr } = await teleport(server, "cp", from, to);
        assert.match(stderr, /Cannot copy to .*no space is left on the disk of/);
        assert.equal(code, 1);
        assert.deepEqual(namesIn(disk), ["large"]);
        assert.equal(await Deno.readTextFile(`${disk}/large`), "before");
      }
      await nothingStays(server);
    }),
});

for (const direction of ["to", "from"] as const) {
  Deno.test(`teleport cp ${direction} the server that is interrupted leaves no file and no job`, async () => {
    await using server = await startServer();
    await using proxy = new Proxy(server.address);
    await using temporary = await tempDir();
    const { path: dir } = temporary;
    await shell(`mkdir "$1/out" && head -c 300000000 /dev/zero > "$1/large"`, dir);
    const begun = Promise.withResolvers<void>();
    proxy.onBytes = () => {
      if (proxy.bytes + proxy.sentBytes > 3_000_000) begun.resolve();
    };
    const [from, to] = direction === "to" ? [`${dir}/large`, `:${dir}/out`] : [`:${dir}/large`, `${dir}/out`];
    const program = spawnTeleport({ address: proxy.address, dir: server.dir }, "cp", from, to);
    const output = program.output();
    await deadline(begun.promise, "the first bytes of the copy");
    program.kill("SIGINT");
    const { code, stderr } = await deadline(output, "the end of the copy");
    assert.match(new TextDecoder().decode(stderr), /teleport: Interrupted by SIGINT/);
    assert.equal(code, 130);
    assert.deepEqual(namesIn(`${dir}/out`), []);
    await nothingStays(server);
  });
}

Deno.test({
  ...skippedIf(noTerminal, "teleport cp shows its progress on a terminal, and not with --quiet"),
  async fn() {
    await using server = await startServer({ jobHost: "none" });
    await using temporary = await tempDir();
    const { path: dir } = temporary;
    await shell(`head -c 2000000 /dev/zero > "$1/large"`, dir);
    const env = { TELEPORT_ADDRESS: server.address, TELEPORT_CERTS: `${server.dir}/certs` };
    const command = [Deno.execPath(), "run", "-q", "-P=cli", "--no-prompt", "cli.ts", "cp"];
    const shown = await deadline(onTerminal([...command, `${dir}/large`, `:${dir}/copy`], { cwd: ROOT, env }).ended);
    assert.match(shown.text, /large: 1\.9 MiB of 1\.9 MiB \(100%\), [\d.]+ [KM]iB\/s/);
    const quiet = onTerminal([...command, "-q", `:${dir}/large`, `${dir}/copy`], { cwd: ROOT, env });
    assert.deepEqual(await deadline(quiet.ended), { code: 0, mode: "line", text: "" });
  },
});
