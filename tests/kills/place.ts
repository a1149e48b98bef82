/** A data directory, and the servers that run on it one after another at one address. */
import { join } from "node:path";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { RpcClient } from "../../rpc/client/client.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { type ReadText, readText } from "../support/growing_text.ts";
import { endHosts, type Server, type ServerOptions, spawnServer, startServer } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";
import { hasNoAnswer } from "./no_answer.ts";
import { jobProcesses, type Programs, programsOn } from "./processes.ts";

/** The options of the servers of a place. */
type PlaceOptions = Pick<ServerOptions, "args" | "jobHost" | "program" | "stopJobs" | "redirection" | "starter">;

/** The options of a new place. */
interface NewPlaceOptions extends PlaceOptions {
  /** The path of the place below its temporary directory. */
  readonly below?: string;
  /** A directory that takes the data. */
  readonly disk?: string;
}

/** A data directory with its present server. Disposal ends everything that was started there. */
export class Place implements AsyncDisposable {
  readonly dir: string;
  readonly #options: PlaceOptions;
  readonly #stack: AsyncDisposableStack;
  #server: Server | undefined;
  #address = "";
  #client: RpcClient | undefined;
  #logs = "";
  readonly #spawned: ReadText[] = [];

  private constructor(dir: string, options: PlaceOptions, stack: AsyncDisposableStack) {
    this.dir = dir;
    this.#options = options;
    this.#stack = stack;
  }

  /** Makes a place and starts its first server. */
  static async make({ below = ".", disk, ...options }: NewPlaceOptions = {}): Promise<Place> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDir());
    const dir = join(path, below);
    await Deno.mkdir(`${dir}/files`, { recursive: true });
    if (disk !== undefined) await Deno.symlink(disk, `${dir}/data`);
    const place = new Place(dir, { stopJobs: false, ...options }, stack.move());
    try {
      await place.start();
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
    if (this.#client === undefined) throw new Error("The client is not connected");
    return this.#client;
  }

  /** The logs of all servers, without times. */
  get logs(): string {
    return [this.#logs, ...this.#spawned.map(({ growing }) => growing.text), this.#server?.log() ?? ""].join("");
  }

  get #realData(): string {
    try {
      return Deno.realPathSync(this.data);
    } catch {
      return this.data; // The first server has not made it yet.
    }
  }

  programs(): Programs {
    return programsOn(this.data, this.#realData);
  }

  /** Starts the next server, and waits until it answers the client. */
  async start(): Promise<void> {
    const listen = this.#address === "" ? {} : { listen: this.#address };
    this.#server = await startServer({ ...this.#options, dir: this.dir, ...listen });
    this.#address = this.#server.address;
    this.#client ??= await clientOf(this.#server);
    await this.#answered();
  }

  /**
   * Starts a server whose end belongs to the caller, and waits until it answers the client.
   *
   * @param options the options of this server, in addition to those of the place
   */
  async spawn(options: PlaceOptions): Promise<Deno.ChildProcess> {
    const { process } = spawnServer({ ...this.#options, ...options, dir: this.dir, listen: this.#address });
    this.#spawned.push(readText(process.stderr));
    await this.#answered();
    return process;
  }

  /** Waits until the server answers the client, whose connection was cut. */
  async #answered(): Promise<void> {
    await eventually(async () => {
      try {
        await this.calls.Info({});
        return true;
      } catch (error) {
        if (!hasNoAnswer(error)) throw error;
        return false;
      }
    }, "an answer of the new server");
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
    const { process } = spawnServer({ ...this.#options, dir: this.dir, listen: this.#address });
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
      // A host that hangs cannot end. Another one may end at this moment, because its server has left.
      for (const pid of hosts) signalIfThere(pid, "SIGCONT");
      // The processes that are left are killed below.
      await endHosts(this.dir).catch(() => {});
      const left = [...Object.values(this.programs()).flat(), ...[...jobProcesses(this.dir).values()].flat()];
      for (const pid of left) signalIfThere(pid, "SIGKILL");
      await Promise.all(this.#spawned.map(({ ended }) => ended));
      await this.#stack.disposeAsync();
    }
  }
}

/** Signals a process that may have ended in the meantime. */
function signalIfThere(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
