/**
 * A server that a test kills: `orphan_program.ts DIRECTORY CGROUP SCRIPT HOW`.
 *
 * It runs a job, prints the job's id and the first line of its output, and waits. The job is in a cgroup below CGROUP,
 * unless that is empty. If HOW is `paused`, it pauses the job.
 */
import { CgroupTree, Supervisor } from "../../../mod.ts";

const [directory = "", base = "", script = "", how = ""] = Deno.args;
const cgroups = base === "" ? {} : { cgroups: CgroupTree.open({ base, name: "jobs" }) };
const supervisor = new Supervisor({ directory, ...cgroups });
const id = await supervisor.add("sh", ["-c", script]);
await supervisor.start(id);
let output = "";
for await (const { data } of supervisor.watchOutput(id)) {
  output += new TextDecoder().decode(data);
  if (output.includes("\n")) break;
}
if (how === "paused") await supervisor.pause(id);
console.log(`${id} ${output.trim()}`);
await new Promise(() => setInterval(() => {}, 60_000));
