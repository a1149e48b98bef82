/** The virtual machine as an object: boot, run a script in it, copy files to it, stop. */

/** The result of a script in the machine. */
export interface Ran {
  readonly code: number;
  /** Standard output and standard error. */
  readonly text: string;
}

const SCRIPT = new URL("machine.sh", import.meta.url).pathname;

/** One machine, booted from a disk that stays as it was built. */
export class Machine implements AsyncDisposable {
  readonly #directory: string;
  readonly #port: string;

  private constructor(directory: string, port: string) {
    this.#directory = directory;
    this.#port = port;
  }

  /** Builds the disk if there is none, and boots. */
  static async boot(directory: string): Promise<Machine> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = String(listener.addr.port);
    listener.close();
    const machine = new Machine(directory, port);
    const hasDisk = await Deno.stat(`${directory}/disk.img`).then(() => true, () => false);
    if (!hasDisk) await machine.#must("build the disk, about 4 minutes", "build");
    await machine.#must("boot", "start");
    return machine;
  }

  /** Runs a shell script as root, or as another user through ssh. */
  async run(script: string, user = "root"): Promise<Ran> {
    return await this.#call(["ssh", user, script]);
  }

  /** Runs a script that must succeed, and returns its output. */
  async must(what: string, script: string): Promise<string> {
    console.log(`… ${what}`);
    const { code, text } = await this.run(script);
    if (code !== 0) throw new Error(`Cannot ${what} (exit code ${code}): ${text}`);
    return text;
  }

  /** Copies a file or a directory to the machine. */
  async put(path: string, to: string): Promise<void> {
    await this.#must(`copy ${to}`, "put", path, to);
  }

  /** Turns the power off and on again. The disk keeps its contents. */
  async reboot(): Promise<void> {
    await this.#must("power off and boot", "reset");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#call(["stop"]);
  }

  async #must(what: string, ...args: string[]): Promise<void> {
    console.log(`… ${what}`);
    const { code, text } = await this.#call(args);
    if (code !== 0) throw new Error(`Cannot ${what}: ${text}`);
  }

  async #call(args: string[]): Promise<Ran> {
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: [SCRIPT, ...args],
      env: { HOST_DIR: this.#directory, HOST_PORT: this.#port },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  }
}
