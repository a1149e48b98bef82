/** The programs of this repository as their users run them: server, command line and certificate tool. */
import assert from "node:assert/strict";
import { deadline } from "./deadline.ts";
import { readText } from "./growing_text.ts";
import { findInstances, untilEnd } from "../../teleportd/host/instance_directory.ts";
import { stopHosts } from "../../teleportd/host/stop_hosts.ts";
import { tempDir } from "./temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** The deadline of a program that runs to its end, in milliseconds. Some run jobs that take long. */
const PROGRAM_MS = 180_000;
const DENO = [Deno.execPath(), "run", "--quiet", "--no-prompt"] as const;

/** A server of its own with its own certificates and data. */
export interface Server extends AsyncDisposable {
  /** The address as HOST:PORT. */
  readonly address: string;
  /** The directory that holds `certs`, `data`, and the files of a test. */
  readonly dir: string;
  readonly process: Deno.ChildProcess;
  /** The whole log so far, without the times. */
  log(): string;
  /**
   * Waits for a line of the log, which may be there already, and gives it without its time: `info Reloaded the policy`.
   *
   * @throws {Error} when the server ends before, or does not write it within the deadline
   */
  says(wanted: RegExp): Promise<string>;
  /** Ends the server with SIGTERM and gives its exit code. */
  stop(): Promise<number>;
}

/** The result of a program that has ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The options of a server that needs more than the defaults. */
export interface ServerOptions {
  /** The directory that an earlier server left. It stays when this server is disposed of. */
  readonly dir?: string;
  /** The address as HOST:PORT. Default: a free port of 127.0.0.1. */
  readonly listen?: string;
  /** Further options of the command line. */
  readonly args?: readonly string[];
  /** Makes the certificates that are missing. Default true. */
  readonly initCerts?: boolean;
  /** Another program with the command line of `server.ts`. */
  readonly program?: string;
  /** The value of `--job-host`. Default: `separate`, as for users. A test that gains nothing from it uses `none`. */
  readonly jobHost?: "separate" | "external" | "none";
  /** False: jobs continue when the server stops. Default true, so that nothing is left. */
  readonly stopJobs?: boolean;
  /** A redirection of the shell, such as `2>/dev/full`. */
  readonly redirection?: string;
  /** The beginning of a command line that starts the server, such as `["nice"]`. */
  readonly starter?: readonly string[];
}

/** Starts a server without waiting. The caller must read its stderr. */
export function spawnServer(options: ServerOptions & { readonly dir: string }): Pick<Server, "dir" | "process"> {
  const { dir, listen = "127.0.0.1:0", redirection, starter = [], program: script = "server.ts" } = options;
  const jobs = [`--job-host=${options.jobHost ?? "separate"}`, ...options.stopJobs === false ? [] : ["--stop-jobs"]];
  const shell = redirection === undefined ? [] : ["sh", "-c", `exec "$@" ${redirection}`, "sh"];
  const init = options.initCerts === false ? [] : ["--init-certs"];
  const [program, ...args] = [...starter, ...shell, ...DENO, "-A", script, ...init, "--listen", listen];
  const process = new Deno.Command(program!, {
    args: [...args, "--certs", `${dir}/certs`, "--data", `${dir}/data`, ...jobs, ...options.args ?? []],
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  return { dir, process };
}

/** Ends the job hosts that a server has left, such as one that was killed, with their jobs. */
export async function endHosts(dir: string): Promise<void> {
  const problems: string[] = [];
  const stopped = stopHosts(`${dir}/data`, 0, {
    progress: () => {},
    stopped: () => {},
    failed: (text) => problems.push(text),
  });
  assert.ok(await deadline(stopped, "the end of the job hosts"), problems.join("\n"));
}

/** Kills a server and its job hosts, as a crash of the whole service does. Their jobs are left without both. */
export async function killWithHosts(server: Pick<Server, "dir" | "process">): Promise<void> {
  const hosts = (await findInstances(`${server.dir}/data`)).filter(({ isAlive }) => isAlive);
  server.process.kill("SIGKILL");
  for (const { info } of hosts) if (info !== undefined) Deno.kill(info.pid, "SIGKILL");
  await deadline(server.process.status, "the end of the server");
  for (const host of hosts) await deadline(untilEnd(host), "the end of a job host");
}

/** Removes the time from the beginning of a line of the server's log. */
function withoutTime(line: string): string {
  return line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /, "");
}

/**
 * Starts a server and waits until it serves. Disposal stops it, and removes a directory that it made with the job hosts in
 * it. A test that makes the directory ends the job hosts itself, if it kills servers: see {@linkcode endHosts}.
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  await using stack = new AsyncDisposableStack();
  const dir = options.dir ?? stack.use(await tempDir()).path;
  const { process } = spawnServer({ ...options, dir });
  const { growing: log, ended } = readText(process.stderr);
  const stop = async () => {
    try {
      process.kill("SIGTERM");
    } catch (error) {
      // The process has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    const { code } = await deadline(process.status, () => `the end of a server that said: ${log.text}`);
    await deadline(ended, "the end of the log of a server that has ended");
    return code;
  };
  stack.defer(async () => {
    await stop();
    // A server that was killed leaves its job host. A directory that the test gave is for the next server.
    if (options.dir === undefined) await endHosts(dir);
  });
  const says = async (wanted: RegExp) => {
    const line = () => log.text.split("\n").slice(0, -1).map(withoutTime).find((line) => wanted.test(line));
    await log.when(() => line() !== undefined, String(wanted));
    return line()!;
  };
  const address = (await says(/^listening on /)).slice("listening on ".length);
  const owned = stack.move();
  return {
    address,
    dir,
    process,
    log: () => log.text.split("\n").map(withoutTime).join("\n"),
    says,
    stop,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts the command line with the permissions that its task gives it. */
export function spawnTeleport(server: Pick<Server, "address" | "dir">, ...args: string[]): Deno.ChildProcess {
  return spawnCli(server, args, "null");
}

/** Starts the command line as {@linkcode spawnTeleport} does, with a standard input that the caller writes and closes. */
export function spawnWithInput(server: Pick<Server, "address" | "dir">, ...args: string[]): Deno.ChildProcess {
  return spawnCli(server, args, "piped");
}

function spawnCli(
  server: Pick<Server, "address" | "dir">,
  args: readonly string[],
  stdin: "null" | "piped",
): Deno.ChildProcess {
  const [deno, ...denoArgs] = [...DENO, "-P=cli", "cli.ts"];
  return new Deno.Command(deno!, {
    args: [...denoArgs, ...args],
    cwd: ROOT,
    env: { TELEPORT_ADDRESS: server.address, TELEPORT_CERTS: `${server.dir}/certs`, TELEPORT_IDENTITY: "admin" },
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command line to its end. */
export async function teleport(server: Pick<Server, "address" | "dir">, ...args: string[]): Promise<Ended> {
  return await endOf(spawnTeleport(server, ...args), `teleport ${args.join(" ")}`);
}

/** Runs a command that must succeed, and gives its stdout without the last line feed. */
export async function teleportOk(server: Pick<Server, "address" | "dir">, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await teleport(server, ...args);
  assert.equal(code, 0, `teleport ${args.join(" ")}: ${stderr}`);
  return stdout.replace(/\n$/, "");
}

/** Runs teleportd to its end. */
export async function teleportd(...args: string[]): Promise<Ended> {
  return await runProgram(["-A", "server.ts"], args);
}

/** Runs the certificate tool, which must succeed, and gives its stdout. */
export async function certs(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(["-P=certs", "certs.ts"], args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function runProgram(program: readonly string[], args: readonly string[]): Promise<Ended> {
  const [deno, ...denoArgs] = [...DENO, ...program];
  const child = new Deno.Command(deno, {
    args: [...denoArgs, ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return await endOf(child, `${program.at(-1)} ${args.join(" ")}`);
}

/** Reads a child to its end. A child that takes too long is killed. */
async function endOf(child: Deno.ChildProcess, what: string): Promise<Ended> {
  try {
    const { code, stdout, stderr } = await deadline(child.output(), `the end of ${what}`, PROGRAM_MS);
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** Reads a child's stdout up to a text. The rest can be read later. */
export async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(wanted)) {
    const { done, value } = await deadline(reader.read(), () => `${JSON.stringify(wanted)} after: ${text}`);
    assert.ok(!done, `The output ended before ${JSON.stringify(wanted)}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

/** Reads the rest of a child's stdout. */
export async function readRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await deadline(reader.read(), () => `the end of an output after: ${text}`);
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}
