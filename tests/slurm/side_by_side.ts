/** Makes the results of a command comparable between a job of this machine and one of Slurm: names of what differs by chance. */
import { eventually } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import { type Ended, type Server, spawnTeleport, spawnWithInput, teleport } from "../support/programs.ts";

/** The user of one engine. Each job has a name of its own, which begins with the engine. */
export class Side {
  readonly engine: string;
  readonly #server: Server;

  constructor(server: Server, engine: string) {
    this.#server = server;
    this.engine = engine;
  }

  /** Runs a command. `NAME` in its arguments becomes the name of a job of this engine, and `PLACE` the server's directory. */
  async teleport(...args: string[]): Promise<Ended> {
    return this.#normal(await teleport(this.#server, ...args.map((arg) => this.#own(arg))));
  }

  /** Runs a command that makes a job on this engine. */
  job(command: readonly string[], ...args: string[]): Promise<Ended> {
    return this.teleport(...command, "--engine", this.engine, ...args);
  }

  /** Runs a command with a text as its input. */
  async withInput(text: string, ...args: string[]): Promise<Ended> {
    const child = spawnWithInput(this.#server, ...args.map((arg) => this.#own(arg)));
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const decoded = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return this.#normal({ code, stdout: decoded[0] ?? "", stderr: decoded[1] ?? "" });
  }

  /** Returns one fact of a status. */
  async fact(name: string, fact: string): Promise<unknown> {
    const { stdout } = await teleport(this.#server, "--output", "json", "status", this.#own(name));
    return stdout === "" ? undefined : JSON.parse(stdout)[fact];
  }

  /** Waits until a job has a state. */
  async until(name: string, state: string): Promise<void> {
    await eventually(async () => await this.fact(name, "state") === state, `${this.engine}: ${name} in ${state}`);
  }

  /**
   * Waits until a job has printed this to its standard output, and nothing else. So a command that shows its bytes does
   * not depend on the moment.
   */
  async printed(name: string, text: string): Promise<void> {
    const logs = spawnTeleport(this.#server, "logs", "-f", "--stdout", this.#own(name));
    const { growing } = readText(logs.stdout);
    await growing.when(() => growing.text === text, `${JSON.stringify(text)} of ${this.engine}: ${name}`);
    logs.kill("SIGKILL");
    await Promise.all([logs.status, logs.stderr.cancel()]);
  }

  /**
   * Starts a detached job, and waits until it has printed that it is ready. From then on the number of its processes must
   * not change by itself: a command shows it.
   */
  async ready(name: string, text: string, ...args: string[]): Promise<void> {
    await this.job(["run", "-d"], "--name", name, ...args);
    await this.printed(name, text);
  }

  #own(text: string): string {
    return text.replaceAll("NAME", `${this.engine}-job`).replaceAll("PLACE", this.#server.dir);
  }

  #normal({ code, stdout, stderr }: Ended): Ended {
    const normal = (text: string) =>
      text.replaceAll(this.#server.dir, "PLACE").replaceAll(`${this.engine}-job`, "NAME").replace(/[^]*/, normalText);
    return { code, stdout: normal(stdout), stderr: normal(stderr) };
  }
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

function normalText(text: string): string {
  return text.split("\n").map((line) => line.startsWith("{") ? normalJson(line) : normalLine(line))
    .filter((line) => !/^(Engine's number|Node|Engine):/.test(line)).join("\n");
}

/** Differences that docs/slurm.md names: what a job waits for, and the processor time without a cgroup. */
function withoutKnown(line: string): string {
  return line.replace(/^(STARTING), waits for a node: .*$/, "$1")
    .replace(/^(Processor: .*), (at least|without processes that it left behind)$/, "$1");
}

function normalLine(line: string): string {
  return withoutKnown(line).replaceAll(ID, "ID").replaceAll(TIME, "TIME").replaceAll(/\b[0-9a-f]{6,12}\b(?= )/g, "ID")
    .replaceAll(/\((\d+[a-z]+)+ ago\)/g, "(AGE)").replaceAll(/pid \d+/g, "pid PID")
    .replaceAll(/\b(\d+(\.\d+)?(ms|[smhd]))+\b/g, "DURATION").replaceAll(/\b\d+(\.\d+)? ?[KMG]iB\b/g, "SIZE")
    .replaceAll(/lacks \d+ bytes/g, "lacks SOME bytes").replaceAll(/ +/g, " ");
}

/** Numbers that are measured, and texts that are made at random. Their types are compared. */
const BY_CHANCE = /(_at|^at|_ms|^pid|^id|_bytes|_usec|_count|_since|cursor|token|^time|faults|switches|^cpu|^memory)/;

function normalJson(line: string): string {
  return JSON.stringify(JSON.parse(line, (key, value) => {
    if (key === "placement" || key === "engine") return undefined;
    if (BY_CHANCE.test(key) && !/^(stdout|stderr)_bytes$/.test(key)) return typeof value;
    return typeof value === "string" ? normalLine(value) : value;
  }));
}
