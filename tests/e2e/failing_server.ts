/** A `teleportd` that fails on request: SIGUSR1 rejects a promise that nobody waits for, SIGUSR2 throws from a timer. */
import { parseFlags } from "../../teleportd/flags.ts";
import { ServerLog } from "../../teleportd/log.ts";
import { run } from "../../teleportd/run.ts";

const log = new ServerLog(Deno.stderr);
const text = (line: string) => log.line(line);
const flags = parseFlags(Deno.args, "0.0.0", { stdout: text, stderr: text });

Deno.addSignalListener("SIGUSR1", () => void Promise.reject(new Error("injected rejection")));
Deno.addSignalListener("SIGUSR2", () =>
  void setTimeout(() => {
    throw new Error("injected exception");
  }));

const end = await run(flags, {
  version: "0.0.0",
  env: {},
  environment: () => ({}),
  terminals: () => 0,
  tell: text,
  exit: (failed) => Deno.exit(failed ? 70 : 0),
});
await log.close();
Deno.exit(end === "failed" ? 70 : 0);
