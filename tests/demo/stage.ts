/** Runs the programs of the demo as processes in a temporary folder, and checks their results. */
import { styleText } from "node:util";
import { follow, type Follower, lines } from "./follower.ts";
import { endJobHost, ROOT } from "./job_host.ts";
import { quoted } from "./quoted.ts";
import { callIsAnswered } from "./raw_call.ts";
import { sessionMembers } from "./session.ts";
import type { Background, StageOptions, StageStatus } from "./stage_parts.ts";
import { StepError } from "./step_error.ts";

/** The longest wait for the server's end, in milliseconds. It is longer than the server's own limits. */
const SERVER_END_MS = 15_000;

/** The processes and the folder of one demo. Call `clear()` at the end, also after an error. */
export class Stage {
  readonly #dir: string;
  readonly #serverArgs: readonly string[];
  readonly #children = new Set<Deno.ChildProcess>();
  /** The pids of the jobs' leaders, which the server must end. */
  readonly #leaders = new Set<number>();
  #server: Deno.ChildProcess | undefined;
  #serverLog = "";
  #address = "";
  #cleared = false;
  #step = 0;
  #title = "";

  private constructor(dir: string, serverArgs: readonly string[]) {
    this.#dir = dir;
    this.#serverArgs = serverArgs;
  }

  /** Makes the temporary folder. */
  static async set({ serverArgs }: StageOptions = {}): Promise<Stage> {
    const dir = await Deno.makeTempDir({ prefix: "teleport_demo_" });
    return new Stage(dir, await serverArgs?.(dir) ?? []);
  }

  /** The temporary folder. */
  get directory(): string {
    return this.#dir;
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
    const args = ["--listen", this.#address || "127.0.0.1:0", ...this.#serverArgs];
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
    return this.#follow(user, "--identity", user, "logs", "-f", id);
  }

  /** Runs a job in the foreground, and prints each line of its output when it arrives. */
  run(name: string, ...args: string[]): Follower {
    return this.#follow(name, "run", "--name", name, ...args);
  }

  #follow(who: string, ...args: string[]): Follower {
    this.#show("teleport", args);
    const child = this.#spawn("piped", "-P=cli", "cli.ts", ...args);
    return follow(child, (line) => console.log(styleText("cyan", `   ${who.padEnd(5)} sees: `) + line));
  }

  /** Fails if a job is not in this state. */
  async expectState(id: string, state: string): Promise<void> {
    const found = (await this.status(id)).state;
    this.expect(found === state, `The job is in state ${state}, not ${found}`);
  }

  /** Returns the status of a job. */
  async status(id: string): Promise<StageStatus> {
    const { stdout } = await this.#output(0, "-P=cli", "cli.ts", "--output", "json", "status", id);
    const status: StageStatus = JSON.parse(stdout);
    if (status.pid !== undefined) this.#leaders.add(status.pid);
    return status;
  }

  /** Returns the pid of a job's first process. */
  async pidOf(id: string): Promise<number> {
    const { pid } = await this.status(id);
    if (pid === undefined) throw new StepError(`Job ${id} was not started`);
    return pid;
  }

  /** Returns the running processes of a job's session, as `pid name`. */
  async processesOf(id: string): Promise<string[]> {
    return (await sessionMembers(await this.pidOf(id))).map(({ pid, name }) => `${pid} ${name}`);
  }

  /** Makes a gRPC call with a user's certificate or without one. Returns whether the server answers. */
  callIsAnswered(user: string | undefined): Promise<boolean> {
    return callIsAnswered(this.#address, `${this.#dir}/certs`, user);
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
}
