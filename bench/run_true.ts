/** Budget 3: the time that `teleport run true` takes, against `ssh localhost true`. */
import { type Finding, skipped } from "./finding.ts";
import { connectTo, type Server, type Stage, startTeleportd } from "./stage.ts";
import { type Program, startProgram } from "./program.ts";
import { list, median } from "./statistics.ts";

const BUDGET = { what: "`teleport run true` against `ssh localhost true`", budget: "at most 0.6 of its time" };
const HOSTED = { what: "`teleport run true` against `--job-host none`", budget: "at most 1.03 of its time" };

async function has(command: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${command}`], stdout: "null" }).output();
  return success;
}

/** Returns the milliseconds that a command takes. The command must succeed. */
async function time(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const start = performance.now();
  const { code, stderr } = await new Deno.Command(command, { args: [...args], env, stdin: "null" }).output();
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`"${command}" exited with ${code}: ${new TextDecoder().decode(stderr)}`);
  return ms;
}

interface Sshd extends Program {
  /** The arguments of ssh. */
  readonly sshArgs: readonly string[];
}

/** The directory that sshd needs for privilege separation. The package of sshd makes it only for its own service. */
const SSHD_RUN_DIRECTORY = "/run/sshd";

/** Makes that directory if it is missing and may be made. Disposing removes it again. */
async function provideRunDirectory(): Promise<AsyncDisposable> {
  try {
    await Deno.mkdir(SSHD_RUN_DIRECTORY, { mode: 0o755 });
  } catch {
    return { [Symbol.asyncDispose]: () => Promise.resolve() }; // It exists, or this is not root, and only root needs it.
  }
  return { [Symbol.asyncDispose]: () => Deno.remove(SSHD_RUN_DIRECTORY) };
}

/** A port that is free now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Starts an OpenSSH server with its own keys and settings. It reads no file of the user or the machine. */
async function startSshd({ dir }: Stage): Promise<Sshd> {
  for (const name of ["host", "user"]) {
    await time("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${dir}/${name}_key`]);
  }
  await Deno.copyFile(`${dir}/user_key.pub`, `${dir}/authorized_keys`);
  const port = freePort();
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${dir}/host_key`,
    `AuthorizedKeysFile ${dir}/authorized_keys`,
    "PidFile none",
    "StrictModes no", // Everybody may write to the directory for temporary files.
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
  ];
  await Deno.writeTextFile(`${dir}/sshd_config`, lines.join("\n"));
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "PATH=$PATH:/usr/sbin; command -v sshd"] }).output();
  const sshd = new TextDecoder().decode(stdout).trim();
  const program = await startProgram(sshd, ["-D", "-e", "-f", `${dir}/sshd_config`], /^Server listening/m);
  const option = (text: string) => ["-o", text];
  return {
    ...program,
    sshArgs: [
      ...["-F", "none", "-i", `${dir}/user_key`, "-p", String(port)],
      ...option("IdentitiesOnly=yes"),
      ...option("StrictHostKeyChecking=no"),
      ...option(`UserKnownHostsFile=${dir}/known_hosts`),
      ...option("BatchMode=yes"),
      ...["localhost", "true"],
    ],
  };
}

/** Runs the two alternately. */
export async function measureRunTrue(stage: Stage): Promise<Finding[]> {
  const hosted = await measureHosted(stage);
  if (!await has("ssh") || !await has("ssh-keygen")) {
    return [skipped(BUDGET, "no OpenSSH client is installed"), hosted];
  }
  await using _runDirectory = await provideRunDirectory();
  let sshd: Sshd;
  try {
    sshd = await startSshd(stage);
  } catch (error) {
    return [skipped(BUDGET, `sshd cannot be started: ${firstLine(error)}`), hosted];
  }
  await using _sshd = sshd;
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  const run = () => runTrue(stage, teleportd);
  const ssh = () => time("ssh", sshd.sshArgs);

  const times = { teleport: [] as number[], ssh: [] as number[] };
  const rounds = stage.quick ? 3 : 11;
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const [own, other] = [await run(), await ssh()];
    if (round === 0) continue;
    times.teleport.push(own);
    times.ssh.push(other);
  }
  const { jobs } = await client.calls.List({});
  if (jobs.length !== rounds + 1) throw new Error(`Expected ${rounds + 1} jobs, got ${jobs.length}`);
  const ratio = median(times.teleport.map((ms, round) => ms / (times.ssh[round] ?? NaN)));
  return [{
    ...BUDGET,
    measured: ratio.toFixed(2),
    met: ratio <= 0.6,
    notes: [
      `${median(times.teleport).toFixed(0)} ms against ${median(times.ssh).toFixed(0)} ms (medians)`,
      `rounds: ${list(times.teleport)} against ${list(times.ssh)}`,
    ],
  }, hosted];
}

const CLI = new URL("../cli.ts", import.meta.url).pathname;
const CONFIG = new URL("../deno.json", import.meta.url).pathname;

/** Runs the command line, and returns the milliseconds that it takes. */
function runTrue({ certs }: Stage, { address }: Server): Promise<number> {
  return time(Deno.execPath(), ["run", "-q", "-P=cli", "-c", CONFIG, "--no-prompt", CLI, "run", "true"], {
    TELEPORT_ADDRESS: address,
    TELEPORT_CERTS: certs,
    TELEPORT_IDENTITY: "admin",
  });
}

/** Runs it alternately with the default, and with a server that runs the jobs itself. */
async function measureHosted(stage: Stage): Promise<Finding> {
  await using teleportd = await startTeleportd(stage);
  await using alone = await startTeleportd(stage, "none");
  const rounds = stage.quick ? 3 : 21;
  const found: number[] = [];
  const none: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const [own, other] = [await runTrue(stage, teleportd), await runTrue(stage, alone)];
    if (round === 0) continue;
    found.push(own);
    none.push(other);
  }
  const ratio = median(found) / median(none);
  return {
    ...HOSTED,
    measured: ratio.toFixed(2),
    met: ratio <= 1.03,
    notes: [
      `${median(found).toFixed(0)} ms against ${median(none).toFixed(0)} ms (medians)`,
      `rounds: ${list(found)} against ${list(none)}`,
    ],
  };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split("\n", 1)[0] ?? "";
}
