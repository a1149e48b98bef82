/** A `teleportd` that fails on request: SIGUSR1 rejects a promise that nobody awaits, SIGUSR2 throws from a timer. */
import { main } from "../../server.ts";

Deno.addSignalListener("SIGUSR1", () => void Promise.reject(new Error("injected rejection")));
Deno.addSignalListener("SIGUSR2", () =>
  void setTimeout(() => {
    throw new Error("injected exception");
  }));

Deno.exit(await main(Deno.args));
