/**
 * Tests of starts that are stored and never reached their host: the next host starts them, once. A start that may have
 * reached its host is LOST.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { HostUnavailableError, Supervisor, type SupervisorOptions } from "../../../mod.ts";
import { journalPath } from "../../../worker/host/end_line.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { finalStatus } from "../../support/final_status.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { startUp } from "./supervisor_fixture.ts";

const UNAVAILABLE = new HostUnavailableError("process 1 does not answer");

/** A data directory in which a start is stored, and its host has not got it. */
class Stage implements AsyncDisposable {
  readonly directory: string;
  readonly hosts: LocalHosts;
  readonly warnings: string[] = [];
  readonly errors: unknown[] = [];
  /** The job whose start is stored. Each start of it adds a line to a file. */
  id = "";
  /** A job of the same host that has ended, and whose end no supervisor has stored. */
  ended = "";

  constructor(directory: string) {
    this.directory = directory;
    this.hosts = new LocalHosts(directory);
  }

  supervise(options: SupervisorOptions = {}): Supervisor {
    return new Supervisor({
      directory: this.directory,
      hosts: this.hosts,
      onWarning: (message) => void this.warnings.push(message),
      onError: (error) => void this.errors.push(error),
      ...options,
    });
  }

  /** Stores a start that its host does not get. */
  async storeStart(supervisor: Supervisor): Promise<void> {
    const script = 'echo started >> "$0"; echo up; exec sleep 1000';
    this.id = await supervisor.add("sh", ["-c", script, this.#starts]);
    this.hosts.faults.start = () => Promise.reject(UNAVAILABLE);
    await assert.rejects(supervisor.start(this.id, { by: "ann" }), HostUnavailableError);
    delete this.hosts.faults.start;
    assert.equal((await supervisor.status(this.id)).state, "STARTING");
  }

  /** Runs a supervisor that is killed right after it has stored the start, and leaves an end that it has not stored. */
  async interrupt(): Promise<void> {
    const supervisor = this.supervise();
    this.ended = await startUp(supervisor);
    await this.storeStart(supervisor);
    await supervisor.close();
    await this.hosts.current.stop(this.ended, { reason: "STOPPED", by: "eve" });
  }

  get #starts(): string {
    return join(this.directory, "starts");
  }

  /** The number of times that the job was started. */
  get starts(): number {
    try {
      return Deno.readTextFileSync(this.#starts).split("\n").length - 1;
    } catch {
      return 0;
    }
  }

  async running(supervisor: Supervisor): Promise<void> {
    await using output = supervisor.watchOutput(this.id);
    await deadline(output.next(), "the start of the job");
    const { state, requestedBy } = await supervisor.status(this.id);
    assert.deepEqual([state, requestedBy?.startedBy, this.starts], ["RUNNING", "ann", 1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hosts[Symbol.asyncDispose]();
  }
}

function onStage(name: string, run: (stage: Stage) => Promise<void>): void {
  Deno.test(name, () =>
    withDirectory(async (directory) => {
      await using stage = new Stage(directory);
      await run(stage);
    }));
}

onStage(
  "a start that its host never got is made once, although the host left the end of another job",
  async (stage) => {
    await stage.interrupt();
    const { instance } = stage.hosts.current.info;
    await stage.hosts.end();
    await using supervisor = stage.supervise({ stopsJobs: true });
    await stage.running(supervisor);
    const { state, stoppedBy } = await supervisor.status(stage.ended);
    assert.deepEqual([state, stoppedBy], ["EXITED", "eve"]);
    assert.deepEqual([stage.warnings, stage.errors], [[], []]);
    const left = () => [...Deno.readDirSync(join(stage.directory, "hosts"))].map(({ name }) => name);
    await eventually(() => !left().includes(instance), "the end of the directory of the host that ended");
  },
);

onStage(
  "a start that its host never got is made once, when the host ends while the supervisor lives",
  async (stage) => {
    await using supervisor = stage.supervise({ stopsJobs: true });
    const other = await startUp(supervisor);
    await stage.storeStart(supervisor);
    // The supervisor hears of the end only after the link is lost, as one that hangs.
    const { events } = stage.hosts.link;
    stage.hosts.current.detach(events!);
    await stage.hosts.current.stop(other, { reason: "STOPPED" });
    await stage.hosts.end();
    await eventually(async () => (await supervisor.status(stage.id)).state === "RUNNING", "the start on the next host");
    await stage.running(supervisor);
    assert.equal((await finalStatus(supervisor, other)).state, "EXITED");
    assert.deepEqual([stage.warnings, stage.errors, stage.hosts.launched], [[], [], 2]);
  },
);

onStage("a start is made once, when its host ends while the next supervisor looks for hosts", async (stage) => {
  const first = stage.supervise();
  await first.isolations(); // Starts a host.
  await stage.storeStart(first);
  await first.close();
  const { instance } = stage.hosts.current.info;
  await stage.hosts.end();
  stage.hosts.countAsDead(instance);
  await using supervisor = stage.supervise({ stopsJobs: true });
  await stage.running(supervisor);
});

onStage(
  "a start is made once, although the next supervisor and its host end right after they have stored it",
  async (stage) => {
    await stage.interrupt();
    await stage.hosts.end();
    stage.hosts.faults.start = () => new Promise(() => {}); // The supervisor ends before the host gets the start.
    for (let count = 0; count < 2; count++) {
      const next = stage.supervise();
      await next.ready();
      assert.equal((await next.status(stage.id)).state, "STARTING");
      await next.close();
      await stage.hosts.end();
    }
    delete stage.hosts.faults.start;
    await using supervisor = stage.supervise({ stopsJobs: true });
    await stage.running(supervisor);
  },
);

onStage("a start that its host got is not made again: the host ran the job, and was killed", async (stage) => {
  await stage.interrupt();
  const supervisor = stage.supervise();
  await stage.running(supervisor);
  // The store does not learn that the job runs.
  await supervisor.close();
  stage.hosts.kill();
  await using next = stage.supervise({ stopsJobs: true });
  assert.equal((await next.status(stage.id)).state, "LOST");
  assert.equal(stage.starts, 1);
});

for (
  const [what, alter] of [
    ["was killed while it wrote that it ends", (text: string) => text.slice(0, -5)],
    ["is of an earlier version", (text: string) => text.replace(/[^\n]+\n$/, "")],
    ["has a damaged journal", (text: string) => `x${text.slice(1)}`],
  ] as const
) {
  onStage(`a start is LOST when its host ${what}`, async (stage) => {
    await stage.interrupt();
    const journal = journalPath(join(stage.directory, "hosts", stage.hosts.current.info.instance));
    await stage.hosts.end();
    await Deno.writeTextFile(journal, alter(await Deno.readTextFile(journal)));
    await using supervisor = stage.supervise({ stopsJobs: true });
    await supervisor.ready();
    assert.equal((await supervisor.status(stage.id)).state, "LOST");
    assert.match(stage.warnings.join(), new RegExp(`LOST: .*${stage.id}`));
    assert.equal(stage.starts, 0);
  });
}

onStage("a job that is stopped while its host ends is not started after its stop", async (stage) => {
  await using supervisor = stage.supervise({ stopsJobs: true });
  await supervisor.isolations(); // Starts a host.
  await stage.storeStart(supervisor);
  stage.hosts.launchError = new HostUnavailableError("no process can be started");
  await stage.hosts.end();
  // Nobody can say yet whether the job runs.
  await assert.rejects(supervisor.stop(stage.id), HostUnavailableError);
  stage.hosts.launchError = undefined;
  await eventually(async () => (await supervisor.status(stage.id)).state === "RUNNING", "the start on the next host");
  const { state, reason } = await supervisor.stop(stage.id);
  assert.deepEqual([state, reason, stage.hosts.launched], ["KILLED", "STOPPED", 2]);
  assert.ok(stage.starts <= 1);
});

onStage("a start that no next host takes is taken back, and can be made later", async (stage) => {
  await stage.interrupt();
  await stage.hosts.end();
  stage.hosts.faults.recover = async (job) => {
    const recovered = await stage.hosts.current.recover(job);
    // The next host ends right after its last answer.
    if (recovered.status.state === "INITIAL") await stage.hosts.end();
    return recovered;
  };
  await using supervisor = stage.supervise({ stopsJobs: true });
  await supervisor.ready();
  assert.equal((await supervisor.status(stage.id)).state, "INITIAL");
  assert.match(String(stage.errors), /no link to one is open/);
  await supervisor.start(stage.id, { by: "ann" });
  await stage.running(supervisor);
});

onStage("a supervisor without job hosts makes a start that the host of an earlier one never got", async (stage) => {
  await stage.interrupt();
  await stage.hosts.end();
  await using supervisor = new Supervisor({ directory: stage.directory });
  await stage.running(supervisor);
  assert.equal((await supervisor.status(stage.ended)).state, "EXITED");
});
