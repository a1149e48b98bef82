/** The certificates, servers, clients and jobs of the measurements, in their own directory. */
import { ensureServing } from "../certs/serving.ts";
import { connect, type RpcClient } from "../rpc/client/client.ts";
import { findInstances, untilEnd } from "../teleportd/host/instance_directory.ts";
import { type Program, startDeno } from "./program.ts";
import { tasks } from "./tasks.ts";

/** The place of all measurements. */
export interface Stage extends AsyncDisposable {
  /** A temporary directory. */
  readonly dir: string;
  /** The directory of certificates. */
  readonly certs: string;
  /** True for a run of about a minute: smaller sizes, fewer rounds, rough numbers. */
  readonly quick: boolean;
}

/** Makes a stage; disposing of it removes its directory. */
export async function makeStage(quick: boolean): Promise<Stage> {
  const dir = await Deno.makeTempDir({ prefix: "teleport_bench_" });
  const certs = `${dir}/certs`;
  await ensureServing({ dir: certs });
  return { dir, certs, quick, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

/** A server and its address. */
export interface Server extends Program {
  readonly address: string;
}

/** The process that runs the jobs of a server: a job host, which is the default, or the server itself. */
export type JobHost = "separate" | "none";

/** A teleportd. */
export interface Teleportd extends Server {
  /** The ids of its processes now: the server's own, and that of its job host. */
  pids(): Promise<number[]>;
}

/** The V8 options of `deno task serve` and of the compiled program. The server for comparison gets the same. */
const V8_FLAGS = tasks.serve.split(" ").filter((word) => word.startsWith("--v8-flags="));

/** How a teleportd differs from that of `deno task serve`. */
export interface TeleportdOptions {
  /** Default: `separate`. */
  readonly jobHost?: JobHost;
  /** Options of Deno in addition to those of the task. */
  readonly denoOptions?: readonly string[];
  /** Options of teleportd. */
  readonly options?: readonly string[];
  /** A data directory that is kept. Absent: one of its own, which is removed. */
  readonly data?: string;
}

/** Starts a teleportd as `deno task serve` does. Its jobs must have ended when it is disposed. */
export async function startTeleportd({ dir, certs }: Stage, given: TeleportdOptions = {}): Promise<Teleportd> {
  const { jobHost = "separate", denoOptions = [], options = [] } = given;
  const data = given.data ?? await Deno.makeTempDir({ dir, prefix: "data_" });
  const own = ["--listen", "127.0.0.1:0", "--certs", certs, "--data", data, "--job-host", jobHost, "--stop-jobs"];
  const hosts = async () => (await findInstances(data)).filter(({ isAlive }) => isAlive);
  const program = await startDeno("server.ts", [...own, ...options], /^listening on (.*)$/m, [
    ...V8_FLAGS,
    ...denoOptions,
  ]);
  return {
    ...program,
    address: program.ready[1] ?? "",
    pids: async () => [program.pid, ...(await hosts()).flatMap(({ info }) => info === undefined ? [] : [info.pid])],
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      // A job host without a server and without jobs ends by itself.
      await Promise.all((await hosts()).map((host) => untilEnd(host)));
      // The next measurement needs the room on the disk.
      if (given.data === undefined) await Deno.remove(data, { recursive: true });
    },
  };
}

/** Starts a bare grpc-js server. */
export async function startBare({ certs }: Stage): Promise<Server> {
  const program = await startDeno("bench/bare_server.ts", [certs], /^listening on (.*)$/m, V8_FLAGS);
  return { ...program, address: program.ready[1] ?? "" };
}

/** A client of a server, on a connection of its own. */
export function connectTo({ certs }: Stage, { address }: { readonly address: string }): RpcClient {
  const read = (name: string) => Deno.readTextFileSync(`${certs}/${name}`);
  return connect({
    address,
    credentials: { ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") },
  });
}

/** Reads the output of a job to its end and returns the number of bytes. */
export async function readAll({ calls }: RpcClient, id: string): Promise<number> {
  let bytes = 0;
  for await (const { data } of calls.GetOutput({ id })) bytes += data.length;
  return bytes;
}

/** Starts a job and resolves when it has ended. */
export async function runToEnd({ calls }: RpcClient, id: string): Promise<void> {
  for await (const status of calls.Start({ id })) {
    if (status.state === "STATE_FAILED") throw new Error(`The job could not be started: ${status.error}`);
  }
}

/** Starts a job and resolves when it runs. */
export async function startJob({ calls }: RpcClient, id: string): Promise<void> {
  for await (const { state, error } of calls.Start({ id })) {
    if (state === "STATE_RUNNING") return;
    if (state !== "STATE_STARTING") throw new Error(`The job does not run but is ${state}: ${error}`);
  }
}

/**
 * Registers a job that writes this many bytes as fast as it can.
 *
 * @param engine the engine of the job; default: that of the server
 */
export async function registerBytes({ calls }: RpcClient, bytes: number, engine = ""): Promise<string> {
  const { id } = await calls.Register({
    engine,
    command: "dd",
    args: ["if=/dev/zero", "bs=65536", "iflag=count_bytes", `count=${bytes}`, "status=none"],
  });
  return id;
}

/** A job whose script waits for data from a FIFO, its gate. */
export interface GatedJob {
  readonly id: string;
  /** The job's script reads data that is written here from descriptor 3. */
  readonly gate: Deno.FsFile;
}

/** Starts a shell script that has a gate. */
export async function startGated(stage: Stage, client: RpcClient, script: string): Promise<GatedJob> {
  const directory = await Deno.makeTempDir({ dir: stage.dir, prefix: "gate_" });
  const path = `${directory}/fifo`;
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  if (!success) throw new Error("Cannot make a FIFO");
  const { id } = await client.calls.Register({ command: "sh", args: ["-c", `exec 3<"$1"; ${script}`, "sh", path] });
  await startJob(client, id);
  return { id, gate: await Deno.open(path, { write: true }) };
}

/** Resolves when this much of a job's output is recorded. */
export async function recorded({ calls }: RpcClient, id: string, bytes: number): Promise<void> {
  const everyMs = 50; // Asking costs the server a tenth of a millisecond.
  while ((await calls.Status({ id })).stdout_bytes < bytes) await new Promise((wake) => setTimeout(wake, everyMs));
}

/** Resolves when a job has ended. */
export async function ended({ calls }: RpcClient, id: string): Promise<void> {
  for await (const _ of calls.StatusStream({ id }));
}
