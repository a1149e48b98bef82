/**
 * Tests for a crash at each step of a job: the table lists what is true afterwards.
 * Slow: it runs a program for each step and kills it.
 */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";

const PROGRAM = new URL("./crash_program.ts", import.meta.url).pathname;

/** Writes its second line when its first one was acknowledged. */
const SHORT = 'echo one; until [ -e "$GO" ]; do sleep 0.01; done; echo two; exit 7';
/** Starts a process that leaves its group, so only its mark identifies it. */
const LONG = "setsid sleep 1000 & echo one; exec sleep 1000";

interface Row {
  /** The step before or after which the server dies. */
  readonly step: string;
  readonly script: string;
  /** The last acknowledgement before the crash; empty for none. */
  readonly acknowledged: string;
  /** The state of the job afterwards; undefined when it does not exist. */
  readonly state: string | undefined;
  /** The output afterwards; undefined when it may be incomplete. */
  readonly output?: string | RegExp;
  /** True when its processes survive the server. */
  readonly leaves?: true;
}

// deno-fmt-ignore
const TABLE: readonly Row[] = [
  { step: "add before",      script: SHORT, acknowledged: "",           state: undefined },
  { step: "add after",       script: SHORT, acknowledged: "",           state: "INITIAL", output: "" },
  { step: "STARTING before", script: SHORT, acknowledged: "registered", state: "INITIAL", output: "" },
  { step: "STARTING after",  script: SHORT, acknowledged: "registered", state: "LOST",    output: "" },
  { step: "spawn before",    script: LONG,  acknowledged: "registered", state: "LOST",    output: "" },
  { step: "spawn after",     script: LONG,  acknowledged: "registered", state: "LOST",    output: "", leaves: true },
  { step: "RUNNING before",  script: LONG,  acknowledged: "registered", state: "LOST",    output: "", leaves: true },
  { step: "RUNNING after",   script: LONG,  acknowledged: "registered", state: "LOST",    output: "", leaves: true },
  { step: "append before",   script: SHORT, acknowledged: "output one", state: "LOST",    output: "one\n" },
  { step: "append after",    script: SHORT, acknowledged: "output one", state: "LOST",    output: "one\ntwo\n" },
  // Only the seal waits for the last write.
  { step: "seal before",     script: SHORT, acknowledged: "output one", state: "LOST",    output: /^one\n(two\n)?$/ },
  { step: "seal after",      script: SHORT, acknowledged: "output one", state: "LOST",    output: "one\ntwo\n" },
  { step: "EXITED before",   script: SHORT, acknowledged: "output one", state: "LOST",    output: "one\ntwo\n" },
  { step: "EXITED after",    script: SHORT, acknowledged: "output one", state: "EXITED",  output: "one\ntwo\n" },
  { step: "STOPPING before", script: LONG,  acknowledged: "RUNNING",    state: "LOST", leaves: true },
  { step: "STOPPING after",  script: LONG,  acknowledged: "RUNNING",    state: "LOST" },
  { step: "KILLED before",   script: LONG,  acknowledged: "STOPPING",   state: "LOST" },
  { step: "KILLED after",    script: LONG,  acknowledged: "STOPPING",   state: "KILLED" },
  { step: "remove before",   script: SHORT, acknowledged: "EXITED",     state: "EXITED",  output: "one\ntwo\n" },
  { step: "remove after",    script: SHORT, acknowledged: "EXITED",     state: undefined },
  { step: "endRemoval before", script: SHORT, acknowledged: "EXITED",     state: undefined },
  { step: "endRemoval after",  script: SHORT, acknowledged: "EXITED",     state: undefined },
];

/** Returns the number of processes with the mark of a job. */
function marked(id: string): number {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/environ`).includes(`TELEPORT_ID=${id}`);
    } catch {
      return false;
    }
  }).length;
}

/** Returns whether a process has the mark. It looks repeatedly: during execve(2) a process has no environment. */
async function leavesAny(id: string): Promise<boolean> {
  const end = performance.now() + 2_000;
  while (marked(id) === 0) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return true;
}

/** Runs the program until it dies, and returns its acknowledgements. */
async function crash(directory: string, { step, script }: Row): Promise<string[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-A", PROGRAM, directory, step, script],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // Survivors of the job may hold stdout, so its end does not show the end of the program.
  const [{ signal }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assert.equal(signal, "SIGKILL", `${step}: ${stderr}`);
  return (await new Response(child.stdout).text()).split("\n").filter((line) => line !== "");
}

for (const row of TABLE) {
  Deno.test(`recovery after a crash ${row.step}: ${row.state ?? "no job"}`, async () => {
    await using temporary = await tempDir();
    const directory = temporary.path;
    const acknowledged = await crash(directory, row);
    await Deno.writeTextFile(`${directory}/go`, ""); // A job that never started runs below.
    if (row.acknowledged === "") assert.deepEqual(acknowledged, []);
    else assert.ok(acknowledged.some((line) => line.startsWith(row.acknowledged)), `${acknowledged}`);
    const id = acknowledged[0]?.replace("registered ", "");
    // Without survivors this row would test nothing.
    if (row.leaves) assert.ok(await leavesAny(id ?? ""));
    {
      await using supervisor = new Supervisor({ directory });
      const { jobs } = await supervisor.list();
      assert.deepEqual(jobs.map(({ state }) => state), row.state === undefined ? [] : [row.state]);
      const job = jobs[0];
      if (job !== undefined) {
        if (id !== undefined) assert.equal(job.id, id);
        assert.equal(marked(job.id), 0);
        let text = "";
        for await (const { data } of supervisor.watchOutput(job.id, { follow: false })) {
          text += new TextDecoder().decode(data);
        }
        if (row.output instanceof RegExp) assert.match(text, row.output);
        else if (row.output !== undefined) assert.equal(text, row.output);
        if (job.state === "LOST") assert.match(job.error ?? "", /died while the job was running/);
        if (job.state === "EXITED") assert.equal(job.exitCode, 7);
        // A job that was never started can be started. A job that ran does not start again.
        const { state } = await supervisor.start(job.id);
        assert.equal(state, job.state === "INITIAL" ? "RUNNING" : job.state);
        await finalStatus(supervisor, job.id);
        await supervisor.remove(job.id);
      }
      const next = await supervisor.add("sh", ["-c", "exit 3"]);
      await supervisor.start(next);
      assert.equal((await finalStatus(supervisor, next)).exitCode, 3);
      await supervisor.remove(next);
    }
    if (id !== undefined) assert.equal(marked(id), 0);
    assert.deepEqual([...Deno.readDirSync(`${directory}/output`)], []);
  });
}
