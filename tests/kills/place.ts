/** A data directory, and the servers that run on it one after another at one address. */
import type { JobWorkerClient } from "../../proto/service.ts";
import type { RpcClient } from "../../rpc/client/client.ts";
import { deadline } from "../support/deadline.ts";
import { type Server, spawnServer, startServer, teleportd } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";
import { jobProcesses, type Programs, programsOn } from "./processes.ts";

/** A data directory with its present server. Disposal ends everything that was started there. */
export class Place implements AsyncDisposable {
  readonly dir: string;
  readonly #args: readonly string[];
  readonly #stack: AsyncDisposableStack;
  #server: Server | undefined;
  #address = "";
  #client: RpcClient | undefined;
  #logs = "";

  private constructor(dir: string, args: readonly string[], stack: AsyncDisposableStack) {
    this.dir = dir;
    this.#args = args;
    this.#stack = stack;
  }

  /**
   * Makes a place and starts its first server.
   *
   * @param args further options of the servers
   */
  static async make(args: readonly string[] = []): Promise<Place> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDir());
    await Deno.mkdir(`${path}/files`);
    const place = new Place(path, args, stack.move());
    try {
      await place.start();
      place.#client = await clientOf(place.server);
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
    return place;
  }

  get data(): string {
    return `${this.dir}/data`;
  }

  get address(): string {
    return this.#address;
  }

  /** The server that runs. */
  get server(): Server {
    if (this.#server === undefined) throw new Error("No server runs");
    return this.#server;
  }

  /** The calls of one client, which outlives the servers. */
  get calls(): JobWorkerClient {
    return this.client.calls;
  }

  get client(): RpcClient {
    if (this.#client === undefined) throw new Error("There is no client");
    return this.#client;
  }

  /** The logs of all servers, without times. */
  get logs(): string {
    return this.#logs + (this.#server?.log() ?? "");
  }

  programs(): Programs {
    return programsOn(this.data);
  }

  async start(): Promise<void> {
    const listen = this.#address === "" ? {} : { listen: this.#address };
    this.#server = await startServer({ dir: this.dir, args: this.#args, ...listen });
    this.#address = this.#server.address;
  }

  /** Kills the server with SIGKILL and waits for its end. */
  async kill(): Promise<void> {
    const server = this.server;
    server.process.kill("SIGKILL");
    await this.stop();
  }

  /** Ends the server with SIGTERM. Resolves with its exit code when the log is complete too. */
  async stop(): Promise<number> {
    const server = this.server;
    const code = await server.stop();
    this.#server = undefined;
    this.#logs += server.log();
    return code;
  }

  /** Starts a server and kills it after a time, wherever it is then: in its start, its recovery, or its first calls. */
  async killStarting(afterMs: number): Promise<void> {
    const { process } = spawnServer({ dir: this.dir, args: this.#args, listen: this.#address });
    const log = new Response(process.stderr).text();
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    try {
      process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
    await deadline(process.status, "the end of a killed server");
    this.#logs += await deadline(log, "the end of the log of a killed server");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    try {
      if (this.#server !== undefined) await this.stop();
    } finally {
      const { hosts } = this.programs();
      // The processes that are left are killed below.
      if (hosts.length > 0) await teleportd("host", "stop", "--grace", "0s", "--data", this.data).catch(() => {});
      const left = [...this.programs().hosts, ...[...jobProcesses(this.dir).values()].flat()];
      for (const pid of left) {
        try {
          Deno.kill(pid, "SIGKILL");
        } catch {
          // It has ended in the meantime.
        }
      }
      await this.#stack.disposeAsync();
    }
  }
}
