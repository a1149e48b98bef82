/**
 * A supervisor's process that is to be killed: `orphan_program.ts DIRECTORY CGROUP SCRIPT` runs a job in a cgroup below
 * CGROUP, writes the job's id and the first line of its output, and waits.
 */
import { CgroupTree, Supervisor } from "../../mod.ts";

const [directory = "", base = "", script = ""] = Deno.args;
const supervisor = new Supervisor({ directory, cgroups: CgroupTree.open({ base, name: "jobs" }) });
const id = await supervisor.add("sh", ["-c", script]);
await supervisor.start(id);
let output = "";
for await (const { data } of supervisor.watchOutput(id)) {
  output += new TextDecoder().decode(data);
  if (output.includes("\n")) break;
}
console.log(`${id} ${output.trim()}`);
await new Promise(() => setInterval(() => {}, 60_000));
