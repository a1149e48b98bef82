/** The place of a fault: a Slurm cluster, a gateway on it, and jobs that note each of their starts. */
import assert from "node:assert/strict";
import { defined } from "../../../base/defined.ts";
import type { JobWorkerClient, Sent } from "../../../proto/service.ts";
import type { JobRequest, JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import type { RpcClient } from "../../../rpc/client/client.ts";
import type { Route } from "./route.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { endHosts, type Server, startServer } from "../../support/programs.ts";
import { clientOf, living } from "../../support/server_process.ts";
import { type ClusterOptions, type SlurmCluster, slurmCluster } from "../../support/slurm_cluster.ts";
import { gatewayArgs, killGateway, nodeHosts } from "../../support/slurm_gateway.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

/** The longest wait for the end of a job, in milliseconds. Slurm takes its time to give a node up. */
const END_MS = 300_000;

/** The options of a place. */
interface FaultOptions {
  readonly cluster?: ClusterOptions;
  /** A cluster of the caller, in place of an own one. */
  readonly on?: SlurmCluster;
  /** More options of the gateway. The last one with a name counts. */
  readonly args?: readonly string[];
  /** The beginning of the command line of the gateway. */
  readonly starter?: readonly string[];
  /** A directory that takes the output of jobs at the gateway. */
  readonly output?: string;
}

/** A cluster with a gateway. */
export class FaultPlace implements AsyncDisposable {
  readonly cluster: SlurmCluster;
  readonly dir: string;
  readonly #temp: TempDir;
  readonly #options: FaultOptions;
  #server: Server | undefined;
  #client: RpcClient | undefined;
  #address: string | undefined;
  #jobs = 0;

  private constructor(cluster: SlurmCluster, temp: TempDir, options: FaultOptions) {
    this.cluster = cluster;
    this.dir = temp.path;
    this.#temp = temp;
    this.#options = options;
  }

  /** Brings up the gateway, and the cluster where the caller has none. */
  static async make(options: FaultOptions = {}): Promise<FaultPlace> {
    const cluster = options.on ?? await slurmCluster(options.cluster);
    const place = new FaultPlace(cluster, await tempDir(), options);
    try {
      await Deno.mkdir(`${place.dir}/bin`);
      if (options.output !== undefined) {
        await Deno.mkdir(`${place.dir}/data`, { mode: 0o700 });
        await Deno.symlink(options.output, `${place.dir}/data/output`);
      }
      await place.start();
      return place;
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Brings up a place whose nodes reach the gateway by a route. */
  static async behind(route: Route, on?: SlurmCluster): Promise<FaultPlace> {
    const place = await FaultPlace.make({ args: [`--node-address=${route.address}`], ...defined({ on }) });
    route.target = await place.nodePort();
    return place;
  }

  get server(): Server {
    assert.ok(this.#server, "No gateway runs");
    return this.#server;
  }

  get calls(): JobWorkerClient {
    assert.ok(this.#client, "No gateway runs");
    return this.#client.calls;
  }

  /** Starts the gateway. Its PATH begins with a directory for commands of the test. */
  async start(): Promise<void> {
    const { args = [], starter = [] } = this.#options;
    const path = `${this.dir}/bin:${this.cluster.env.PATH}`;
    this.#server = await startServer({
      dir: this.dir,
      stopJobs: false,
      args: [...await gatewayArgs(this.cluster, this.dir), ...args],
      starter: ["env", `PATH=${path}`, ...starter],
      ...(this.#address === undefined ? {} : { listen: this.#address }),
    });
    this.#address = this.#server.address;
    this.#client = await clientOf(this.#server);
  }

  /** The port that nodes dial. */
  async nodePort(): Promise<number> {
    return Number(await Deno.readTextFile(`${this.dir}/data/nodes/port`));
  }

  /** Kills the gateway. */
  async kill(): Promise<void> {
    this.#client?.close();
    await killGateway(this.server);
    this.#server = undefined;
  }

  /**
   * Replaces a command of Slurm for the gateway until the disposal.
   *
   * @param script a shell script, in which `$REAL` is the command itself
   */
  async replace(command: string, script: string): Promise<AsyncDisposable> {
    const path = `${this.dir}/bin/${command}`;
    const text = `#!/bin/sh\nREAL=$(PATH='${this.cluster.env.PATH}' command -v ${command})\n${script}\n`;
    await Deno.writeTextFile(`${path}.new`, text, { mode: 0o755 });
    await Deno.rename(`${path}.new`, path);
    return { [Symbol.asyncDispose]: () => Deno.remove(path).catch(() => {}) }; // It may be disposed of twice.
  }

  /** Registers a shell script that notes each start. Its command `gate` waits for `pass()`. */
  async register(script: string, options: Sent<JobRequest> = {}): Promise<Probe> {
    const file = `${this.dir}/starts${this.#jobs++}`;
    const args = ["-c", `echo $$ >>"$0"; gate() { until [ -e "$0.go" ]; do sleep 0.1; done; }\n${script}`, file];
    const { id } = await this.calls.Register({ command: "sh", args, ...options });
    return new Probe(this, id, file);
  }

  /** Registers such a script and starts it. */
  async run(script: string, options?: Sent<JobRequest>): Promise<Probe> {
    const job = await this.register(script, options);
    await job.start();
    return job;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    await this.#server?.stop();
    await endHosts(this.dir);
    if (this.#options.on === undefined) await this.cluster[Symbol.asyncDispose]();
    await this.#temp[Symbol.asyncDispose]();
  }
}

/** A job that notes each of its starts. */
export class Probe {
  readonly #place: FaultPlace;
  readonly id: string;
  readonly #file: string;

  constructor(place: FaultPlace, id: string, file: string) {
    this.#place = place;
    this.id = id;
    this.#file = file;
  }

  /** How often it was started. */
  get starts(): number {
    try {
      return Deno.readTextFileSync(this.#file).split("\n").length - 1;
    } catch {
      return 0;
    }
  }

  /** Lets it pass its `gate`. */
  pass(): void {
    Deno.writeTextFileSync(`${this.#file}.go`, "");
  }

  /** Its processes. */
  get processes(): readonly string[] {
    return living(this.id);
  }

  /** Starts it. Resolves with the first status. */
  async start(): Promise<void> {
    for await (const _ of this.#place.calls.Start({ id: this.id })) return;
  }

  async status(): Promise<JobStatus> {
    return await this.#place.calls.Status({ id: this.id });
  }

  /** Waits for a status. */
  async until(holds: (status: JobStatus) => boolean, what: string, ms?: number): Promise<JobStatus> {
    let status = await this.status();
    await eventually(
      async () => holds(status = await this.status()),
      () => `${what}, got ${JSON.stringify(status)}\n${this.#place.server.log()}`,
      ms,
    );
    return status;
  }

  /** Waits until it runs and has written something. */
  async writes(): Promise<JobStatus> {
    return await this.until(({ stdout_bytes }) => stdout_bytes > 0, "output");
  }

  /** Waits for its host on a node, and returns the process. Hosts of earlier jobs may still be there. */
  async host(): Promise<number> {
    const { placement } = await this.until(({ placement }) => (placement?.handle ?? "") !== "", "the number of Slurm");
    let pid: number | undefined;
    const find = () => pid = nodeHosts(this.#place.cluster, placement?.handle)[0];
    await eventually(() => find() !== undefined, () => `the host of job ${this.id}`);
    return pid!;
  }

  /** Waits for its end. */
  async final(): Promise<JobStatus> {
    const waiting = (async () => {
      let last: JobStatus | undefined;
      for await (last of this.#place.calls.StatusStream({ id: this.id }));
      assert.ok(last);
      return last;
    })();
    return await deadline(waiting, () => `the end of job ${this.id}\n${this.#place.server.log()}`, END_MS);
  }

  /** Waits for its end, and checks the facts that hold for a job that ran to its end by itself. */
  async exits(code: number, stdout?: string): Promise<void> {
    const { state, exit_code, error } = await this.final();
    assert.deepEqual([state, exit_code, this.starts], ["STATE_EXITED", code, 1], error);
    if (stdout !== undefined) assert.equal(await this.output(), stdout);
    await this.gone();
  }

  /** Waits until none of its processes is there. */
  async gone(): Promise<void> {
    await eventually(() => this.processes.length === 0, () => `the end of ${this.processes} of job ${this.id}`);
  }

  /** Reads its standard output so far. */
  async output(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const { data, stream } of this.#place.calls.GetOutput({ id: this.id, follow: false })) {
      if (stream === "STREAM_STDOUT") text += decoder.decode(data, { stream: true });
    }
    return text;
  }
}
