/** A `teleportd` that fails on request: SIGUSR1 uses all memory of the heap, SIGUSR2 throws. */
import { main } from "../../server.ts";

// A job host that is started from this program must not fail with its server.
if (Deno.args[0] !== "host") {
  Deno.addSignalListener("SIGUSR1", () => {
    const held: number[][] = [];
    for (;;) held.push(Array.from({ length: 100_000 }, (_, index) => index + held.length));
  });
  Deno.addSignalListener("SIGUSR2", () =>
    void setTimeout(() => {
      throw new Error("injected exception");
    }));
}

Deno.exit(await main(Deno.args));
