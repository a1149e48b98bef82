/**
 * A supervisor that kills itself at one step of a job: `crash_program.ts DIRECTORY STEP SCRIPT`. It prints each
 * acknowledgement as a line before it continues.
 */
import "../../support/plain_start.ts";
import { Supervisor } from "../../../mod.ts";
import { OutputLog } from "../../../worker/output/log.ts";
import { Segment } from "../../../worker/output/segment.ts";
import { Store } from "../../../worker/store/store.ts";

const [directory = "", step = "", script = ""] = Deno.args;

function die(): void {
  Deno.kill(Deno.pid, "SIGKILL");
}

function acknowledge(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Kills this process before or after a method is called with the arguments that `isMeant` selects. */
function dieAt(
  prototype: object,
  name: string,
  when: "before" | "after",
  isMeant: (...args: never[]) => boolean = () => true,
): void {
  const original = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
  const replacement = function (this: unknown, ...args: never[]) {
    if (!isMeant(...args)) return original.apply(this, args);
    if (when === "before") die();
    const result = original.apply(this, args);
    if (result instanceof Promise) return result.then(die);
    die();
    return result;
  };
  Reflect.set(prototype, name, replacement);
}

const [what, when] = step.split(" ") as [string, "before" | "after"];
const change = (state: string) =>
  dieAt(Store.prototype, "change", when, (_id: string, status: { state: string }) => status.state === state);
const steps: Readonly<Record<string, () => void>> = {
  add: () => dieAt(Store.prototype, "add", when),
  spawn: () => dieAt(Deno.Command.prototype, "spawn", when),
  append: () =>
    dieAt(Segment.prototype, "append", when, (bytes: Uint8Array) => new TextDecoder().decode(bytes).includes("two")),
  seal: () => dieAt(OutputLog.prototype, "seal", when),
  remove: () => dieAt(Store.prototype, "remove", when),
  endRemoval: () => dieAt(Store.prototype, "endRemoval", when),
};
(steps[what] ?? (() => change(what)))();

const supervisor = new Supervisor({ directory });
await supervisor.ready();
const go = `${directory}/go`;
const id = await supervisor.add("sh", ["-c", script], { env: { GO: go } });
acknowledge(`registered ${id}`);
const output = supervisor.watchOutput(id);
void (async () => {
  for await (const { data } of output) {
    acknowledge(`output ${new TextDecoder().decode(data).trim()}`);
    Deno.writeTextFileSync(go, "");
  }
})();
const statuses = supervisor.watchStatus(id, { skipInitial: true });
await supervisor.start(id);
for await (const { state } of statuses) {
  acknowledge(state);
  if (state === "RUNNING" && script.includes("sleep 1000")) void supervisor.stop(id);
}
await supervisor.remove(id);
acknowledge("removed");
