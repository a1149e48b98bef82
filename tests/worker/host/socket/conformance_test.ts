/**
 * Runs the conformance tests of a host link over a socket, with the job host in this process and in another one.
 * Slow: it starts a process for each test.
 */
import { join } from "node:path";
import type { RemoteJobHost } from "../../../../worker/host/socket/remote_job_host.ts";
import { connectHost } from "../../../../worker/host/socket/connect_host.ts";
import { deadline } from "../../../support/deadline.ts";
import { testConformance } from "../conformance.ts";
import { serveRealHost } from "./real_host.ts";

/** Links to one host, which end together. */
function linksTo(directory: string) {
  const links: RemoteJobHost[] = [];
  return {
    async connect(): Promise<RemoteJobHost> {
      const link = await connectHost(directory);
      links.push(link);
      return link;
    },
    async close(): Promise<void> {
      for (const link of links) await link.close();
    },
  };
}

testConformance({
  name: "over a socket",
  start: async (directory) => {
    const host = await serveRealHost(directory);
    const links = linksTo(host.path);
    return {
      connect: () => links.connect(),
      async [Symbol.asyncDispose]() {
        await links.close();
        await host[Symbol.asyncDispose]();
      },
    };
  },
});

testConformance({
  name: "in another process",
  start: async (directory) => {
    const program = new URL("host_program.ts", import.meta.url).pathname;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--no-prompt", program, directory],
      stdin: "piped",
      stdout: "piped",
    });
    const process = command.spawn();
    const reader = process.stdout.getReader();
    const { value } = await deadline(reader.read(), "the instance of the host");
    const links = linksTo(join(directory, "hosts", new TextDecoder().decode(value).trim()));
    return {
      connect: () => links.connect(),
      async [Symbol.asyncDispose]() {
        await links.close();
        await process.stdin.close(); // The program ends then.
        const { success, code } = await deadline(process.status, "the end of the host");
        await reader.cancel();
        if (!success) throw new Error(`The job host ended with code ${code}`);
      },
    };
  },
});
