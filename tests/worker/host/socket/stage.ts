/** A served fake host and the links to it, for the tests of the socket. */
import type { HostEvents } from "../../../../worker/host/link.ts";
import { connectHost } from "../../../../worker/host/socket/connect_host.ts";
import { serveHost } from "../../../../worker/host/socket/serve_host.ts";
import type { RemoteJobHost, RemoteJobHostOptions } from "../../../../worker/host/socket/remote_job_host.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { FakeHost } from "./fake_host.ts";

/** The events that a link has reported, in order. */
export class NotedEvents implements HostEvents {
  readonly noted: unknown[][] = [];
  #wake = Promise.withResolvers<void>();

  #note(...event: unknown[]): void {
    this.noted.push(event);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** Resolves when that number of events with the name has been reported. */
  async count(name: string, count: number): Promise<void> {
    while (this.noted.filter((event) => event[0] === name).length < count) await this.#wake.promise;
  }

  changed = (...args: Parameters<HostEvents["changed"]>) => this.#note("changed", ...args);
  grew = (...args: Parameters<HostEvents["grew"]>) => this.#note("grew", ...args);
  needsRoom = (bytes: number) => this.#note("needsRoom", bytes);
  availability = (isAvailable: boolean) => this.#note("availability", isAvailable);
  failed = (error: Error) => this.#note("failed", error);
}

/** A served host. `await using` ends it. */
export async function stage(instance = "host-1") {
  const dir = await tempDir();
  const directory = `${dir.path}/${instance}`;
  const host = new FakeHost(instance);
  const errors: Error[] = [];
  const attached: boolean[] = [];
  const server = await serveHost(host, directory, {
    onError: (error) => errors.push(error),
    onAttached: (isAttached) => attached.push(isAttached),
  });
  const links: RemoteJobHost[] = [];
  return {
    directory,
    host,
    server,
    errors,
    attached,
    async link(options: RemoteJobHostOptions = {}): Promise<RemoteJobHost> {
      const link = await connectHost(directory, options);
      links.push(link);
      return link;
    },
    async [Symbol.asyncDispose]() {
      for (const link of links) await link.close();
      await server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}
