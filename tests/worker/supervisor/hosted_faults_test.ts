/** Tests of faults between a supervisor and its job hosts, and of supervisors that end between two steps. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { HostExhaustedError, HostUnavailableError, NotEnforceableError, Supervisor } from "../../../mod.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { finalStatus } from "../../support/final_status.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { PATIENT, read, startUp, states } from "./supervisor_fixture.ts";

/** A job that writes nothing when it is ended: the killed host of a test lives on and would write it to the log. */
const SILENT = ["-c", "echo up; exec sleep 1000"];

const UNAVAILABLE = new HostUnavailableError("process 1 does not answer");

Deno.test("a lost link is replaced, and the jobs and their watchers continue", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
    const stop = join(directory, "stop");
    const id = await startUp(supervisor, [
      "-c",
      'echo up; while [ ! -e "$0" ]; do sleep 0.01; done; echo down; exit 3',
      stop,
    ]);
    const output = read(supervisor.watchOutput(id));
    hosts.link.break(new Error("the socket was closed"));
    await eventually(async () => (await hosts.current.work()).isAttached, "the next link");
    await Deno.writeTextFile(stop, "");
    const { text, end } = await output;
    assert.equal(text, "up\ndown\n");
    assert.equal(end.status.exitCode, 3);
    assert.equal(hosts.launched, 1);
  }));

Deno.test("the jobs of a host that dies are ended and LOST, and a new host takes over", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    const warnings: string[] = [];
    await using supervisor = new Supervisor({
      directory,
      hosts,
      stopsJobs: true,
      onWarning: (message) => warnings.push(message),
    });
    const id = await startUp(supervisor, SILENT);
    const output = supervisor.watchOutput(id);
    await output.next();
    const stopped = supervisor.watchStatus(id);
    const { instance } = hosts.kill().info;
    const final = await finalStatus(supervisor, id);
    assert.deepEqual([final.state, final.reason], ["LOST", "LOST"]);
    assert.equal((await read(output)).text, "");
    assert.deepEqual((await states(stopped)).at(-1), "LOST");
    await eventually(() => warnings.length > 0, "a warning");
    assert.match(
      warnings[0]!,
      new RegExp(`^Jobs of job host process ${Deno.pid} .*${instance}.* are LOST: 1 \\("${id}"\\)$`),
    );
    assert.equal(hosts.launched, 2);
    const next = await startUp(supervisor);
    assert.equal((await supervisor.stop(next)).state, "EXITED");
    await eventually(
      () => ![...Deno.readDirSync(join(directory, "hosts"))].some(({ name }) => name === instance),
      "the removal of what the dead host has left",
    );
  }));

Deno.test("the jobs of a host that died without a supervisor are recovered at the next start", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    let id = "";
    {
      await using supervisor = new Supervisor({ directory, hosts });
      id = await startUp(supervisor, SILENT);
    }
    hosts.kill();
    await using supervisor = new Supervisor({ directory, hosts });
    assert.equal((await supervisor.status(id)).state, "LOST");
    assert.equal((await read(supervisor.watchOutput(id))).text, "up\n");
  }));

Deno.test("a host that refuses a start leaves the job in INITIAL, to be started later", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
    const id = await supervisor.add("sh", PATIENT);
    for (const refusal of [new HostExhaustedError("no pids"), new NotEnforceableError("no user")]) {
      hosts.faults.start = () => Promise.reject(refusal);
      await assert.rejects(supervisor.start(id), refusal);
      assert.equal((await supervisor.status(id)).state, "INITIAL");
    }
    delete hosts.faults.start;
    assert.equal((await supervisor.start(id, { by: "ann" })).state, "RUNNING");
  }));

Deno.test("a host that cannot be launched refuses the start, and the next start tries again", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    hosts.launchError = new HostUnavailableError("it cannot be started");
    await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
    const id = await supervisor.add("sh", PATIENT);
    await assert.rejects(supervisor.start(id), HostUnavailableError);
    assert.equal((await supervisor.status(id)).state, "INITIAL");
    hosts.launchError = undefined;
    const [first, second] = await Promise.all([supervisor.start(id), supervisor.start(id)]);
    assert.equal(first.pid, second.pid);
    assert.equal(hosts.launched, 1);
  }));

for (const arrives of [true, false]) {
  const what = arrives ? "has arrived" : "has not arrived";
  Deno.test(`a start without an answer that ${what} starts the job once, when the host can be reached again`, () =>
    withDirectory(async (directory) => {
      await using hosts = new LocalHosts(directory);
      await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
      await startUp(supervisor);
      const id = await supervisor.add("sh", PATIENT);
      hosts.faults.start = async (start) => {
        if (arrives) await hosts.current.start(start);
        delete hosts.faults.start;
        hosts.link.break(UNAVAILABLE);
        throw UNAVAILABLE;
      };
      assert.equal((await supervisor.start(id, { by: "ann" })).state, "RUNNING");
      await using output = supervisor.watchOutput(id);
      await deadline(output.next());
      const final = await supervisor.stop(id);
      assert.deepEqual([final.state, final.stdoutBytes, final.requestedBy?.startedBy], ["EXITED", 3, "ann"]);
    }));
}

Deno.test("a host that hangs makes calls on its jobs fail, and the supervisor says so until it answers", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    const availability: boolean[] = [];
    await using supervisor = new Supervisor({
      directory,
      hosts,
      stopsJobs: true,
      onAvailability: (isAvailable) => availability.push(isAvailable),
    });
    const id = await startUp(supervisor);
    const fails = () => Promise.reject(UNAVAILABLE);
    Object.assign(hosts.faults, { states: fails, signal: fails, watch: fails, start: fails });
    // The host may have got this start before it stopped to answer.
    const second = await supervisor.add("sh", PATIENT);
    await assert.rejects(supervisor.start(second), UNAVAILABLE);
    hosts.link.events?.availability(false);
    const third = await supervisor.add("sh", PATIENT);
    await assert.rejects(supervisor.start(third), HostUnavailableError);
    assert.equal((await supervisor.status(third)).state, "INITIAL");
    await assert.rejects(supervisor.signal(id, "HUP"), UNAVAILABLE);
    await assert.rejects(supervisor.watchOutput(id).next(), UNAVAILABLE);
    assert.equal((await supervisor.status(id)).state, "RUNNING");
    assert.equal((await supervisor.list()).jobs.length, 3);
    assert.equal((await supervisor.status(second)).state, "STARTING");
    for (const name of ["states", "signal", "watch", "start"] as const) delete hosts.faults[name];
    hosts.link.events?.availability(true);
    assert.deepEqual(availability, [false, true]);
    await eventually(async () => (await supervisor.status(second)).state === "RUNNING", "the repeated start");
  }));

Deno.test("each step of a job survives a supervisor that ends after it", async (test) => {
  const step = (
    name: string,
    use: (parts: { hosts: LocalHosts; first: Supervisor; next: () => Supervisor }) => Promise<void>,
  ) =>
    test.step(name, () =>
      withDirectory(async (directory) => {
        await using hosts = new LocalHosts(directory);
        const first = new Supervisor({ directory, hosts });
        await use({ hosts, first, next: () => new Supervisor({ directory, hosts, stopsJobs: true }) });
      }));

  for (const endsInOrder of [false, true]) {
    const what = endsInOrder ? "on another host, because the host has ended in order" : "on the same host";
    await step(`between the intent and the start: the start is made again, ${what}`, async ({ hosts, first, next }) => {
      const other = await first.add("true");
      await first.start(other);
      await finalStatus(first, other);
      const id = await first.add("sh", PATIENT);
      const sent = Promise.withResolvers<void>();
      hosts.faults.start = () => {
        sent.resolve();
        return new Promise(() => {}); // The supervisor ends before the host gets the start.
      };
      void first.start(id, { by: "ann" }).catch(() => {});
      await sent.promise;
      await first.close();
      delete hosts.faults.start;
      if (endsInOrder) await hosts.end();
      await using supervisor = next();
      await using output = supervisor.watchOutput(id);
      await deadline(output.next());
      const { state, requestedBy } = await supervisor.status(id);
      assert.deepEqual([state, requestedBy?.startedBy], ["RUNNING", "ann"]);
    });
  }

  await step("between the end in the host and its store: the exact end is stored", async ({ hosts, first, next }) => {
    const id = await startUp(first);
    await first.close();
    await hosts.current.stop(id, { reason: "STOPPED", by: "eve" });
    await using supervisor = next();
    const { state, exitCode, stoppedBy } = await supervisor.status(id);
    assert.deepEqual([state, exitCode, stoppedBy], ["EXITED", 3, "eve"]);
  });

  await step("between the store of the end and forget: the host forgets it then", async ({ hosts, first, next }) => {
    const id = await startUp(first);
    hosts.faults.forget = () => {};
    const final = await first.stop(id);
    await first.close();
    delete hosts.faults.forget;
    await using supervisor = next();
    assert.deepEqual(await supervisor.status(id), final);
    assert.equal(hosts.current.isIdle, false);
    await supervisor.close();
    assert.deepEqual(await hosts.current.attach({} as never), []);
  });
});
