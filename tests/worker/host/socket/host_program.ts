/** A job host for one test: `host_program.ts DIRECTORY`. It prints its instance, and ends with its standard input. */
import "../../../support/plain_start.ts";
import { join } from "node:path";
import { JobHost } from "../../../../worker/host/job_host.ts";
import { serveHost } from "../../../../worker/host/socket/serve_host.ts";

const [directory = ""] = Deno.args;
const instance = crypto.getRandomValues(new Uint8Array(8)).toHex();
const hostsDirectory = join(directory, "hosts");
const host = new JobHost({
  outputDirectory: join(directory, "output"),
  hostsDirectory,
  instance,
  version: "1.2.3",
  cgroupText: "no cgroups",
});
const errors: Error[] = [];
const server = await serveHost(host, join(hostsDirectory, instance), { onError: (error) => errors.push(error) });
console.log(instance);
for await (const _ of Deno.stdin.readable); // Until the test ends, or dies.
await server.close();
await host[Symbol.asyncDispose]();
for (const error of errors) console.error(error);
Deno.exit(errors.length === 0 ? 0 : 1);
