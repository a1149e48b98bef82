/** A real job host that serves its socket, for tests in its own process and in another one. */
import { join } from "node:path";
import { JobHost } from "../../../../worker/host/job_host.ts";
import { serveHost } from "../../../../worker/host/socket/serve_host.ts";

/**
 * Starts a job host.
 *
 * @returns its instance, and its directory, to which tests connect. Its end throws the first error that it reported
 */
export async function serveRealHost(directory: string) {
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
  const path = join(hostsDirectory, instance);
  const server = await serveHost(host, path, { onError: (error) => errors.push(error) });
  return {
    instance,
    path,
    async [Symbol.asyncDispose]() {
      await server.close();
      await host[Symbol.asyncDispose]();
      if (errors[0] !== undefined) throw errors[0];
    },
  };
}
