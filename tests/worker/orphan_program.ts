/**
 * A supervisor's process that is to be killed: `orphan_program.ts DIRECTORY CGROUP SCRIPT HOW` runs a job, in a cgroup below
 * CGROUP unless that is empty, writes the job's id and the first line of its output, and waits. It pauses the job if HOW is
 * `paused`.
 */
import { CgroupTree, Supervisor } from "../../mod.ts";

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
