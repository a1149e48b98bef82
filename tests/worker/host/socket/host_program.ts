/** A job host for one test: `host_program.ts DIRECTORY`. It prints its instance, and ends with its standard input. */
import "../../../support/plain_start.ts";
import { serveRealHost } from "./real_host.ts";

const [directory = ""] = Deno.args;
const host = await serveRealHost(directory);
console.log(host.instance);
for await (const _ of Deno.stdin.readable); // Until the test ends, or dies.
await host[Symbol.asyncDispose]();
Deno.exit();
