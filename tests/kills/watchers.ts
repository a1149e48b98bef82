/** Command lines that watch long jobs through all rounds, as users leave them running in a terminal. */
import assert from "node:assert/strict";
import { deadline, eventually } from "../support/deadline.ts";
import { type ReadText, readText } from "../support/growing_text.ts";
import { spawnTeleport } from "../support/programs.ts";
import { finalOf } from "../support/server_process.ts";
import { LONG_CODE, LONG_SCRIPTS, requestFor } from "./jobs.ts";
import { LineCheck } from "./lines.ts";
import type { LongJobs } from "./long_jobs.ts";
import type { Place } from "./place.ts";

/** The exit code of a command whose job is lost. */
const LOST_CODE = 1;

/** A command that runs in the background. */
interface Command {
  readonly process: Deno.ChildProcess;
  readonly stdout: ReadText;
  readonly stderr: ReadText;
}

/** The commands that watch: `logs -f`, `watch`, `wait` and `run`. */
export class Watchers implements AsyncDisposable {
  readonly #place: Place;
  readonly #jobs: LongJobs;
  readonly #runName: string;
  readonly #logs: Command;
  readonly #watch: Command;
  readonly #wait: Command;
  readonly #run: Command;

  /** @param ended a job that has ended, so that `wait` prints a line when it has its first answer */
  private constructor(place: Place, jobs: LongJobs, name: string, ended: string) {
    const command = (name: string, ...args: string[]): Command => {
      // Servers that are killed in their start are one outage, which may take longer than the default.
      const process = spawnTeleport(place, name, "--retry-for", "1h", ...args);
      return { process, stdout: readText(process.stdout), stderr: readText(process.stderr) };
    };
    const { id } = jobs.get("slow");
    const { command: program, args, env, labels } = requestFor(place, name, LONG_SCRIPTS.slow);
    const env0 = Object.entries(env ?? {}).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    this.#place = place;
    this.#jobs = jobs;
    this.#runName = name;
    this.#logs = command("logs", "-f", id);
    this.#watch = command("watch", "--output", "json", id);
    this.#wait = command("wait", ended, id);
    this.#run = command("run", "--label", `name=${labels!.name}`, ...env0, "--", program!, ...args as string[]);
  }

  /** Starts the commands and waits until each has had an answer, because only then an outage is worth waiting for. */
  static async start(place: Place, jobs: LongJobs, name: string): Promise<Watchers> {
    const { id: ended } = await place.calls.Register({ command: "true" });
    await finalOf(place.calls, ended);
    const watchers = new Watchers(place, jobs, name, ended);
    try {
      await watchers.#logs.stdout.growing.until("line 1\n");
      await watchers.#watch.stdout.growing.until("RUNNING");
      await watchers.#wait.stdout.growing.until("EXITED 0\n");
      await watchers.#run.stdout.growing.until("line 1\n");
    } catch (error) {
      await watchers[Symbol.asyncDispose]();
      throw error;
    }
    return watchers;
  }

  /** The id of the job that `teleport run` has started. */
  async runId(): Promise<string> {
    const { jobs } = await this.#place.calls.List({ labels: { name: this.#runName } });
    assert.equal(jobs.length, 1, `${this.#runName}: its jobs`);
    return jobs[0]!.id;
  }

  /** Checks that all commands still run. They must not give up during an outage. */
  check(): void {
    for (const { stderr, process } of this.#all()) {
      assert.doesNotMatch(stderr.growing.text, /LOST|gave up|died/, `process ${process.pid}`);
    }
  }

  /** Waits until `logs -f` and `run` have printed something new, so that they are seen to continue. */
  async continued(): Promise<void> {
    for (const { stdout } of [this.#logs, this.#run]) {
      const before = stdout.growing.text.length;
      await eventually(() => stdout.growing.text.length > before, "more output of a command after a restart");
    }
  }

  /** Checks the ends of the commands, once the long jobs have ended. */
  async finish(): Promise<void> {
    await this.#place.calls.Stop({ id: await this.runId() });
    for (const [what, command] of [["logs -f", this.#logs], ["run", this.#run]] as const) {
      const lines = new LineCheck(`teleport ${what}`);
      const code = await this.#ended(command, what);
      lines.receive(command.stdout.growing.text);
      lines.finish();
      assert.equal(code, what === "run" ? LONG_CODE : 0, `teleport ${what}: ${command.stderr.growing.text}`);
      if (what === "logs -f") assert.equal(lines.last, this.#jobs.get("slow").follower.lines?.last);
    }
    assert.equal(await this.#ended(this.#wait, "wait"), LONG_CODE, this.#wait.stderr.growing.text);
    assert.equal(await this.#ended(this.#watch, "watch"), 0, this.#watch.stderr.growing.text);
    const states = this.#watch.stdout.growing.text.trim().split("\n").map((line) => JSON.parse(line).state);
    const changes = states.filter((state, index) => state !== states[index - 1]);
    assert.deepEqual(changes.filter((state) => state !== "STOPPING"), ["RUNNING", "EXITED"], "teleport watch");
  }

  /** Checks that all commands report a lost job, and print what there was. */
  async lost(): Promise<void> {
    for (const [what, command] of [["logs -f", this.#logs], ["run", this.#run], ["wait", this.#wait]] as const) {
      const code = await this.#ended(command, what);
      const said = command.stderr.growing.text;
      if (what !== "wait") new LineCheck(`teleport ${what}`).receive(command.stdout.growing.text);
      assert.equal(code, what === "logs -f" ? 0 : LOST_CODE, `teleport ${what}: ${said}`);
    }
    await this.#ended(this.#watch, "watch");
    assert.match(this.#watch.stdout.growing.text, /"LOST"/);
  }

  async #ended({ process, stdout, stderr }: Command, what: string): Promise<number> {
    const { code } = await deadline(process.status, () => `the end of teleport ${what}: ${stderr.growing.text}`);
    await Promise.all([stdout.ended, stderr.ended]);
    return code;
  }

  #all(): readonly Command[] {
    return [this.#logs, this.#watch, this.#wait, this.#run];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const command of this.#all()) {
      try {
        command.process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await Promise.all([command.process.status, command.stdout.ended, command.stderr.ended]);
    }
  }
}
