/** A process that writes jobs to a database, prints `done`, and waits to be killed: `job_writer.ts PATH COUNT BOOT`. */
import { isFinalState, type ProcessStatus } from "../../../worker/process/state.ts";
import { encodeSpec } from "../../../worker/store/json.ts";
import { Store } from "../../../worker/store/store.ts";

const [path = "", count = "", bootId = ""] = Deno.args;

const store = new Store(path, { bootId });
const known = store.count;
for (let number = known; number < known + Number(count); number++) {
  const id = `01890000-0000-7000-8000-${String(number).padStart(12, "0")}`;
  const spec = { id, command: "true", args: ["x".repeat(200)], cwd: "/", registeredAt: new Date() };
  store.add(spec, encodeSpec(spec));
  const ended: ProcessStatus = {
    state: "EXITED",
    exitCode: 0,
    startedAt: new Date(),
    endedAt: new Date(),
    pid: 7,
    reason: "EXITED",
  };
  for (const status of [{ state: "STARTING" }, ended] as ProcessStatus[]) {
    store.change(id, status, isFinalState(status.state) ? { reason: "EXITED" } : {});
  }
}
console.log("done");
setInterval(() => {}, 60_000);
