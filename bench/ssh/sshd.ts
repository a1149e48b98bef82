/** An OpenSSH server for comparison, with its own keys and settings, on a port of the loopback interface. */
import { type Program, startProgram } from "../program.ts";
import { checked, hasCommand } from "../shell.ts";
import type { Stage } from "../stage.ts";

/** A running OpenSSH server. */
export interface Sshd extends Program {
  /** Returns the words of an ssh command that runs a command on it. */
  command(...remote: string[]): string[];
}

/** The directory that sshd needs for privilege separation. The package of sshd makes it only for its own service. */
const RUN_DIRECTORY = "/run/sshd";

/** Makes that directory if it is missing and may be made. Disposing removes it again. */
async function provideRunDirectory(): Promise<AsyncDisposable> {
  try {
    await Deno.mkdir(RUN_DIRECTORY, { mode: 0o755 });
  } catch {
    return { [Symbol.asyncDispose]: () => Promise.resolve() }; // It exists, or this is not root, and only root needs it.
  }
  return { [Symbol.asyncDispose]: () => Deno.remove(RUN_DIRECTORY) };
}

/** A port that is free now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * Starts an OpenSSH server. It reads no file of the user or the machine.
 *
 * @returns the server; a sentence when OpenSSH is missing or the server cannot be started
 */
export async function startSshd(stage: Stage): Promise<Sshd | string> {
  for (const command of ["ssh", "ssh-keygen"]) {
    if (!await hasCommand(command)) return `no OpenSSH client is installed: "${command}" is missing`;
  }
  await using stack = new AsyncDisposableStack();
  stack.use(await provideRunDirectory());
  try {
    const sshd = stack.use(await start(stage));
    const moved = stack.move();
    return { ...sshd, [Symbol.asyncDispose]: () => moved.disposeAsync() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `sshd cannot be started: ${reason.trim().split("\n", 1)[0]}`;
  }
}

async function start(stage: Stage): Promise<Sshd> {
  const dir = await Deno.makeTempDir({ dir: stage.dir, prefix: "sshd_" });
  for (const name of ["host", "user"]) {
    await checked("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${dir}/${name}_key`]);
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
    "MaxStartups 100", // Sixteen clients start at once.
  ];
  await Deno.writeTextFile(`${dir}/sshd_config`, lines.join("\n"));
  const sshd = (await checked("sh", ["-c", "PATH=$PATH:/usr/sbin; command -v sshd"])).trim();
  const program = await startProgram(sshd, ["-D", "-e", "-f", `${dir}/sshd_config`], /^Server listening/m);
  const option = (text: string) => ["-o", text];
  const words = [
    ...["ssh", "-F", "none", "-i", `${dir}/user_key`, "-p", String(port)],
    ...option("IdentitiesOnly=yes"),
    ...option("StrictHostKeyChecking=no"),
    ...option(`UserKnownHostsFile=${dir}/known_hosts`),
    ...option("BatchMode=yes"),
    "localhost",
  ];
  return { ...program, command: (...remote) => [...words, ...remote] };
}
