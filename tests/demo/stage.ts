/** Runs the programs of the demo as processes in a temporary folder, and checks their results. */
import { styleText } from "node:util";
import { follow, type Follower, lines } from "./follower.ts";
import { endJobHost, ROOT } from "./job_host.ts";
import { quoted } from "./quoted.ts";
import { sessionMembers } from "./session.ts";
import { StepError } from "./step_error.ts";

/** The longest wait for the server's end, in milliseconds. It is longer than the server's own limits. */
const SERVER_END_MS = 15_000;

/** A program that runs in the background. */
export interface Background {
  /** Waits for its end, and fails if it has another exit code. */
  ended(code: number): Promise<void>;
}

/** The processes and the folder of one demo. Call `clear()` at the end, also after an error. */
export class Stage {
  readonly #dir: string;
  readonly #children = new Set<Deno.ChildProcess>();
  /** The pids of the jobs' leaders, which the server must end. */
  readonly #leaders = new Set<number>();
  #server: Deno.ChildProcess | undefined;
  #serverLog = "";
  #address = "";
  #cleared = false;
  #step = 0;
  #title = "";

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes the temporary folder. */
  static async set(): Promise<Stage> {
    return new Stage(await Deno.makeTempDir({ prefix: "teleport_demo_" }));
  }

  /** The number and title of the current step. */
  get current(): string {
    return `${this.#step}: ${this.#title}`;
  }

  /** Starts a step. */
  step(title: string): void {
    this.#step += 1;
    this.#title = title;
    console.log(styleText("bold", `\n${this.#step}. ${title}`));
  }

  /** Prints a sentence. */
  print(sentence: string): void {
    console.log(`   ${sentence}`);
  }

  /** Fails if the condition is false. */
  expect(holds: boolean, sentence: string): void {
    if (!holds) throw new StepError(`Expected: ${sentence}`);
  }

  /** Runs the certificate tool, and fails if it fails. */
  async certs(...args: string[]): Promise<void> {
    this.#show("certs", args);
    await this.#output(0, "-P=certs", "certs.ts", ...args, "--dir", `${this.#dir}/certs`);
  }

  /** Starts a server and waits until it serves calls. A second one gets the address of the first one. */
  async startServer(): Promise<void> {
    const args = ["--listen", this.#address || "127.0.0.1:0"];
    this.#show("teleportd", args);
    const paths = ["--certs", `${this.#dir}/certs`, "--data", `${this.#dir}/data`];
    const server = this.#spawn("null", "-A", "server.ts", ...args, ...paths);
    this.#server = server;
    const { promise: listening, resolve } = Promise.withResolvers<string | undefined>();
    (async () => {
      for await (const line of lines(server.stderr)) {
        this.#serverLog += `${line}\n`;
        const address = /^listening on (.+)$/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      }
      resolve(undefined);
    })();
    const address = await listening;
    if (address === undefined) throw new StepError(`The server ended before it served calls:\n${this.#serverLog}`);
    this.#address = address;
    this.print(`listening on ${address}`);
  }

  /** Kills the server, which can do nothing before its end. */
  async killServer(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    console.log(styleText("dim", `   $ kill -9 ${server?.pid}`));
    server?.kill("SIGKILL");
    await server?.status;
  }

  /** Stops the server, waits for its end, and fails if its exit code is not 0. */
  async stopServer(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.kill("SIGTERM");
    const timer = setTimeout(() => server.kill("SIGKILL"), SERVER_END_MS);
    const { code } = await server.status;
    clearTimeout(timer);
    if (code !== 0) throw new StepError(`The server ended with exit code ${code}, not 0:\n${this.#serverLog}`);
  }

  /** Runs the command line, and fails if it fails. Returns its output. */
  async teleport(...args: string[]): Promise<string> {
    this.#show("teleport", args);
    return (await this.#output(0, "-P=cli", "cli.ts", ...args)).stdout;
  }

  /** Runs the command line, and fails if it has another exit code. Prints and returns its error text. */
  async teleportExits(code: number, ...args: string[]): Promise<string> {
    this.#show("teleport", args);
    const { stderr } = await this.#output(code, "-P=cli", "cli.ts", ...args);
    if (stderr !== "") this.print(stderr);
    return stderr;
  }

  /** Starts the command line in the background. */
  teleportInBackground(...args: string[]): Background {
    this.#show("teleport", args);
    const ended = this.#ended(this.#spawn("piped", "-P=cli", "cli.ts", ...args));
    return { ended: async (code) => this.#mustBe(code, await ended, `teleport ${args[0]}`) };
  }

  /** Follows a job's output as one of the users, and prints each line when it arrives. */
  follow(user: string, id: string): Follower {
    this.#show("teleport", ["--identity", user, "logs", "-f", id]);
    const child = this.#spawn("piped", "-P=cli", "cli.ts", "--identity", user, "logs", "-f", id);
    return follow(child, (line) => console.log(styleText("cyan", `   ${user.padEnd(5)} sees: `) + line));
  }

  /** Fails if a job is not in this state. */
  async expectState(id: string, state: string): Promise<void> {
    const found = (await this.#status(id)).state;
    this.expect(found === state, `The job is in state ${state}, not ${found}`);
  }

  /** Returns the pid of a job's first process. */
  async pidOf(id: string): Promise<number> {
    const { pid } = await this.#status(id);
    if (pid === undefined) throw new StepError(`Job ${id} was not started`);
    return pid;
  }

  /** Returns the running processes of a job's session, as `pid name`. */
  async processesOf(id: string): Promise<string[]> {
    return (await sessionMembers(await this.pidOf(id))).map(({ pid, name }) => `${pid} ${name}`);
  }

  /** Makes a gRPC call with `fetch`, with a user's certificate or without one. Returns whether the server answers. */
  async callIsAnswered(user: string | undefined): Promise<boolean> {
    const read = (name: string) => Deno.readTextFile(`${this.#dir}/certs/${name}`);
    const identity = user === undefined ? {} : { cert: await read(`${user}.crt`), key: await read(`${user}.key`) };
    using client = Deno.createHttpClient({ caCerts: [await read("ca.crt")], ...identity });
    try {
      const response = await fetch(`https://${this.#address}/teleport.v1.JobWorker/List`, {
        client,
        method: "POST",
        headers: { "content-type": "application/grpc", "te": "trailers" },
        body: new Uint8Array(5), // A gRPC frame with an empty message: not compressed, length 0.
      });
      const answer = await response.bytes();
      // An answer is a gRPC frame of at least five bytes. A refused call has a status and no frame.
      return response.status === 200 && answer.length >= 5;
    } catch (error) {
      if (error instanceof TypeError) return false; // fetch() reports a connection without an answer like this.
      throw error;
    }
  }

  /** Ends all processes and removes the folder. Fails if the server left a job running. */
  async clear(): Promise<void> {
    this.#cleared = true;
    for (const child of this.#children) if (child !== this.#server) child.kill("SIGTERM");
    const left: string[] = [];
    try {
      await this.stopServer();
      await endJobHost(`${this.#dir}/data`);
    } finally {
      for (const leader of this.#leaders) {
        for (const { pid, name } of await sessionMembers(leader)) {
          left.push(`${pid} ${name}`);
          Deno.kill(pid, "SIGKILL");
        }
      }
      await Promise.all([...this.#children].map((child) => child.status));
      await Deno.remove(this.#dir, { recursive: true });
    }
    if (left.length > 0) {
      throw new StepError(`The server left processes of jobs, which were killed: ${left.join(", ")}`);
    }
  }

  #show(program: string, args: readonly string[]): void {
    console.log(styleText("dim", `   $ ${[program, ...args.map(quoted)].join(" ")}`));
  }

  #spawn(stdout: "piped" | "null", ...args: string[]): Deno.ChildProcess {
    // An interrupted demo continues for a moment. It must not start a process that nobody ends.
    if (this.#cleared) throw new StepError("The demo is over");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...args],
      cwd: ROOT,
      env: { TELEPORT_ADDRESS: this.#address, TELEPORT_CERTS: `${this.#dir}/certs`, TELEPORT_IDENTITY: "admin" },
      stdin: "null",
      stdout,
      stderr: "piped",
    }).spawn();
    this.#children.add(child);
    child.status.then(() => this.#children.delete(child));
    return child;
  }

  async #ended(child: Deno.ChildProcess): Promise<Deno.CommandOutput> {
    const [stdout, stderr, status] = await Promise.all([
      new Response(child.stdout).bytes(),
      new Response(child.stderr).bytes(),
      child.status,
    ]);
    return { ...status, stdout, stderr };
  }

  async #output(code: number, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
    const output = await this.#ended(this.#spawn("piped", ...args));
    this.#mustBe(code, output, args.slice(1).join(" "));
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
    return { stdout: text(output.stdout), stderr: text(output.stderr) };
  }

  #mustBe(code: number, output: Deno.CommandOutput, what: string): void {
    if (output.code === code) return;
    const said = new TextDecoder().decode(output.stderr);
    throw new StepError(`"${what}" ended with exit code ${output.code}, not ${code}:\n${said}`);
  }

  async #status(id: string): Promise<{ state: string; pid?: number }> {
    const { stdout } = await this.#output(0, "-P=cli", "cli.ts", "--output", "json", "status", id);
    const status: { state: string; pid?: number } = JSON.parse(stdout);
    if (status.pid !== undefined) this.#leaders.add(status.pid);
    return status;
  }
}
