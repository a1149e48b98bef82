/** The ways in which a user moves the bytes of a file with teleport, and the same with ssh. */
import type { RpcClient } from "../../rpc/client/client.ts";
import { clientEnvironment, type ClientProgram, SOURCES } from "../client_program.ts";
import { checked } from "../shell.ts";
import { connectTo, runToEnd, type Stage, startTeleportd, type Teleportd } from "../stage.ts";
import { type ClientCosts, type ClientRun, runClients } from "./clients.ts";
import { meterSshd, meterTeleportd, type ServerCosts } from "./server_costs.ts";
import type { Sshd } from "./sshd.ts";

/** The bytes that move: the output of an ended job, the output of a running job, or the input of a job. */
export type Kind = "finished" | "live" | "input";

/** The costs of one transfer by all clients. */
export interface Transfer {
  readonly client: ClientCosts;
  readonly server: ServerCosts;
}

/** The clients and the amount of a transfer. */
export interface Load {
  readonly kind: Kind;
  /** The number of clients at once. */
  readonly clients: number;
  /** The bytes of each. */
  readonly bytes: number;
}

/** The servers, and the files and jobs of the transfers. */
export interface Yard extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly teleportd: Teleportd;
  /** Moves the bytes with teleport, and removes the jobs that it made. */
  withTeleport(load: Load): Promise<Transfer>;
  withSsh(load: Load): Promise<Transfer>;
}

/** Reads nothing else, so the sender is the limit. */
const SINK = "cat >/dev/null";

/** Makes files of random bytes. No program can compress them. */
class Files {
  readonly #made = new Map<number, Promise<string>>();
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  ofBytes(bytes: number): Promise<string> {
    let path = this.#made.get(bytes);
    if (path === undefined) this.#made.set(bytes, path = this.#make(bytes));
    return path;
  }

  async #make(bytes: number): Promise<string> {
    const path = `${this.#dir}/file_${bytes}`;
    await checked("sh", ["-c", `head -c ${bytes} /dev/urandom >"$1"`, "sh", path]);
    return path;
  }
}

/**
 * Starts a teleportd. Both servers are used in turns.
 *
 * @param program the form of the command line
 */
export async function openYard(stage: Stage, sshd: Sshd, program: ClientProgram = SOURCES): Promise<Yard> {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ dir: stage.dir, prefix: "yard_" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const teleportd = stack.use(await startTeleportd(stage));
  const client = stack.use(connectTo(stage, teleportd));
  const files = new Files(dir);
  const finished = new Map<number, Promise<string>>();
  const finishedJob = (bytes: number, path: string) => {
    const found = finished.get(bytes) ?? runCat(client, path);
    finished.set(bytes, found);
    return found;
  };
  const env = clientEnvironment(stage, teleportd);
  const moved = stack.move();
  return {
    sshd,
    teleportd,
    async withTeleport({ kind, clients, bytes }) {
      const path = await files.ofBytes(bytes);
      const id = kind === "finished" ? await finishedJob(bytes, path) : "";
      const args = {
        finished: ["logs", id],
        live: ["run", "cat", path],
        input: ["run", "-i", "sh", "-c", SINK],
      }[kind];
      const one: ClientRun = { words: program.command(args), env, ...(kind === "input" ? { input: path } : {}) };
      const meter = await meterTeleportd(teleportd);
      const found = await runClients(Array.from({ length: clients }, () => one), meter.sample);
      const server = await meter.end();
      await removeOthers(client, await Promise.all(finished.values()), kind === "input" ? bytes : undefined);
      return checkedTransfer(kind, bytes, { client: found, server });
    },
    async withSsh({ kind, clients, bytes }) {
      const path = await files.ofBytes(bytes);
      const one: ClientRun = kind === "input"
        ? { words: sshd.command(SINK), input: path }
        : { words: sshd.command(`cat ${path}`) };
      const meter = meterSshd(sshd);
      const found = await runClients(Array.from({ length: clients }, () => one), meter.sample);
      return checkedTransfer(kind, bytes, { client: found, server: await meter.end() });
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** Runs a job that writes a file to its output, and returns its id. */
async function runCat(client: RpcClient, path: string): Promise<string> {
  const { id } = await client.calls.Register({ command: "cat", args: [path] });
  await runToEnd(client, id);
  return id;
}

/** Removes all jobs but some, and checks that each had its whole input. */
async function removeOthers({ calls }: RpcClient, kept: readonly string[], inputBytes?: number): Promise<void> {
  const { jobs } = await calls.List({});
  for (const { id, input_bytes } of jobs) {
    if (kept.includes(id)) continue;
    if (inputBytes !== undefined && input_bytes !== inputBytes) {
      throw new Error(`Expected an input of ${inputBytes} bytes, got ${input_bytes}`);
    }
    await calls.Remove({ id });
  }
}

/** Each byte of the file must come out, and nothing else. */
function checkedTransfer(kind: Kind, bytes: number, transfer: Transfer): Transfer {
  const expected = kind === "input" ? 0 : bytes;
  const wrong = transfer.client.outputBytes.find((found) => found !== expected);
  if (wrong !== undefined) throw new Error(`Expected ${expected} bytes of output, got ${wrong}`);
  return transfer;
}
