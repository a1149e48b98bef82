/** The programs of this repository as their users run them: a real server and a real command line. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;
const DENO = [Deno.execPath(), "run", "--quiet", "--no-prompt"] as const;

/** A server of its own with its own certificates and data. */
export interface Server extends AsyncDisposable {
  /** HOST:PORT. */
  readonly address: string;
  /** Holds `certs`, `data`, and whatever a test puts there. */
  readonly dir: string;
  readonly process: Deno.ChildProcess;
  /** All it has logged. */
  log(): string;
}

/** A program that ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a server is to be, other than in a place of its own. */
export interface ServerOptions {
  /** Holds what an earlier server left; kept when this one is disposed of. */
  readonly dir?: string;
  /** HOST:PORT; a free port of 127.0.0.1 unless given. */
  readonly listen?: string;
  /** Further options of its command line. */
  readonly args?: readonly string[];
  /** Another program with the command line of `server.ts`. */
  readonly program?: string;
  /** A redirection of the shell, such as `2>/dev/full`. */
  readonly redirection?: string;
  /** The beginning of a command line that starts it, such as `["nice"]`. */
  readonly starter?: readonly string[];
}

/** Starts a server and waits for nothing; its stderr is to be read. */
export function spawnServer(options: ServerOptions & { readonly dir: string }): Pick<Server, "dir" | "process"> {
  const { dir, listen = "127.0.0.1:0", redirection, starter = [], program: script = "server.ts" } = options;
  const shell = redirection === undefined ? [] : ["sh", "-c", `exec "$@" ${redirection}`, "sh"];
  const [program, ...args] = [...starter, ...shell, ...DENO, "-A", script, "--init-certs", "--listen", listen];
  const process = new Deno.Command(program!, {
    args: [...args, "--certs", `${dir}/certs`, "--data", `${dir}/data`, ...options.args ?? []],
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  return { dir, process };
}

/** Starts a server and waits until it serves. Disposing of it stops it and removes its directory. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const dir = options.dir ?? await Deno.makeTempDir({ prefix: "teleport_e2e_" });
  const { process } = spawnServer({ ...options, dir });
  const log = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/^listening on .*$/m.test(text)) {
    const { done, value } = await log.read();
    assert.ok(!done, `The server ended before it served: ${text}`);
    text += value;
  }
  // To the end, or a server with much to tell would wait for its reader.
  const drained = (async () => {
    for (let step = await log.read(); !step.done; step = await log.read()) text += step.value;
  })();
  return {
    address: /^listening on (.*)$/m.exec(text)![1]!,
    dir,
    process,
    log: () => text,
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGTERM");
      } catch (error) {
        // A test may have killed it.
        if (!(error instanceof TypeError)) throw error;
      }
      await Promise.all([process.status, drained]);
      if (options.dir === undefined) await Deno.remove(dir, { recursive: true });
    },
  };
}

/** The command line as a process, with the permissions that its task gives it; its output to be read, or not. */
export function spawnTeleport(server: Pick<Server, "address" | "dir">, ...args: string[]): Deno.ChildProcess {
  return spawnCli(server, args, "null");
}

/** As {@linkcode spawnTeleport}, with a standard input to be written, and closed. */
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
  const { code, stdout, stderr } = await spawnTeleport(server, ...args).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** As {@linkcode teleport}, for a command that must succeed; gives its stdout without the last line's end. */
export async function teleportOk(server: Pick<Server, "address" | "dir">, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await teleport(server, ...args);
  assert.equal(code, 0, `teleport ${args.join(" ")}: ${stderr}`);
  return stdout.replace(/\n$/, "");
}

/** Reads a child's stdout up to a text, and leaves the rest to be read. */
export async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(wanted)) {
    const { done, value } = await reader.read();
    assert.ok(!done, `The output ended before ${JSON.stringify(wanted)}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

/** Reads the rest of a child's stdout. */
export async function readRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    text += decoder.decode(step.value, { stream: true });
  }
  return text;
}
