/**
 * Boots Debian in a virtual machine and checks each promise about cgroups there, as root and as an ordinary user, in a
 * systemd unit: `deno task test:host [--runaways] [root] [teleport]`. The disk is kept in `TELEPORT_HOST_DIR`, by default
 * `~/.cache/teleport-host`.
 */
import { PROMISES, recordFindings } from "./promises.ts";

const HERE = new URL("./", import.meta.url).pathname;
const REPOSITORY = new URL("../../", import.meta.url).pathname;
/** The test files that run on the host. runaways_test.ts takes five minutes for each user on an emulated processor. */
const TESTS = ["cgroup/cgroup_test.ts", "cgroup/cgroup_enforced_test.ts", "cgroup/tree_test.ts"];
const GUEST_TESTS = (Deno.args.includes("--runaways") ? [...TESTS, "process/runaways_test.ts"] : TESTS).map((name) =>
  `tests/worker/${name}`
);
const USERS = ["root", "teleport"].filter((user, _, all) =>
  Deno.args.includes(user) || !all.some((other) => Deno.args.includes(other))
);

/** Returns why the test cannot run here. Undefined if it can. */
function whyNot(): string | undefined {
  if (Deno.build.arch !== "x86_64") return "the machine is emulated for x86_64 only";
  if (Deno.uid() !== 0) return "building the disk needs root";
  const { success } = new Deno.Command("sh", { args: ["-c", "command -v apt-get"], stdout: "null" }).outputSync();
  return success ? undefined : "building the disk needs apt";
}

const directory = Deno.env.get("TELEPORT_HOST_DIR") ?? `${Deno.env.get("HOME")}/.cache/teleport-host`;
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const port = String(listener.addr.port);
listener.close();

/** Runs one of the scripts here; its output is text. */
async function machine(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(`${HERE}machine.sh`, {
    args,
    env: { HOST_DIR: directory, HOST_PORT: port },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function mustDo(what: string, ...args: string[]): Promise<void> {
  console.log(`… ${what}`);
  const { code, text } = await machine(...args);
  if (code !== 0) throw new Error(`Cannot ${what}: ${text}`);
}

/** A shell's words, for ssh joins its arguments into one line. */
const quoted = (words: readonly string[]) => words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
const unit = (...words: string[]) => machine("ssh", quoted(["/srv/teleport/tests/host/unit.sh", ...words]));

/** Puts what the guest needs there, which reaches no network: the runtime, its cache and this repository. */
async function furnish(): Promise<void> {
  const place = await Deno.makeTempDir({ prefix: "teleport-test-host-" });
  try {
    const script = 'cd "$1" && DENO_DIR="$2/deno" "$3" cache -q server.ts cli.ts tests/worker/*_test.ts && ' +
      'tar -C "$2/deno" -czf "$2/cache.tgz" . && git ls-files -co --exclude-standard | tar -czf "$2/tree.tgz" -T -';
    const { success, stderr } = await new Deno.Command("sh", {
      args: ["-c", script, "sh", REPOSITORY, place, Deno.execPath()],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    await mustDo("put the runtime there", "put", Deno.execPath(), "/usr/local/bin/deno");
    await mustDo("put its cache there", "put", `${place}/cache.tgz`, "/root/cache.tgz");
    await mustDo("put the repository there", "put", `${place}/tree.tgz`, "/root/tree.tgz");
  } finally {
    await Deno.remove(place, { recursive: true });
  }
  const unpack = "mkdir -p /var/cache/deno /srv/teleport && tar -xzf /root/cache.tgz -C /var/cache/deno && " +
    "tar -xzf /root/tree.tgz -C /srv/teleport && chmod 755 /usr/local/bin/deno && chmod -R a+rwX /var/cache/deno /srv";
  await mustDo("unpack it", "ssh", unpack);
}

let failed = 0;

function tell(name: string, holds: boolean, saw: string): void {
  if (!holds) failed++;
  console.log(`${holds ? "ok    " : "FAILED"} ${name}: ${saw.trim().replaceAll("\n", " | ")}`);
}

async function examine(user: string): Promise<void> {
  const started = await unit("start", user);
  const cgroups = /Jobs have cgroups in ".*", which can limit cpu, io, memory, pids/;
  tell(`${user}: the server has cgroups with every controller`, cgroups.test(started.text), started.text);
  for (const { name, args, expected } of PROMISES) {
    const { code, text } = await unit("teleport", user, ...args);
    tell(`${user}: ${name}`, expected.test(`${text}exit ${code}`), `${text}exit ${code}`);
  }
  const { text: listed } = await unit("teleport", user, "--output", "json", "list");
  const jobs = listed.trim().split("\n").map((line) => JSON.parse(line));
  for (const { name, holds, saw } of recordFindings(jobs)) tell(`${user}: ${name}`, holds, saw);
  const daemon = await machine("ssh", "pgrep -x -f 'sleep 4321'");
  tell(`${user}: its daemon is gone`, daemon.code === 1, daemon.text);
  const stopped = await unit("stop", user);
  tell(`${user}: nothing is left of the unit`, stopped.code === 0, stopped.text);
  const tests = await unit("test", user, ...GUEST_TESTS);
  const summary = tests.text.split("\n").filter((line) => /FAILED|passed|skipped/.test(line)).join("\n");
  tell(`${user}: the library's tests`, tests.code === 0, summary);
}

const why = whyNot();
if (why !== undefined) {
  console.log(`skipped: ${why}`);
  Deno.exit(0);
}
const hasDisk = await Deno.stat(`${directory}/disk.img`).then(() => true, () => false);
if (!hasDisk) await mustDo("build the disk, about 4 minutes", "build");
await mustDo("boot the machine", "start");
try {
  await furnish();
  for (const user of USERS) await examine(user);
} finally {
  await machine("stop");
}
console.log(failed === 0 ? "all promises hold" : `${failed} promises do not hold`);
Deno.exit(failed === 0 ? 0 : 1);
