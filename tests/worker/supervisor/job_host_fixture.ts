/** Job hosts in this process for the tests of supervisors, and supervisors that use them. */
import { join } from "node:path";
import { HostUnavailableError, Supervisor, type SupervisorOptions } from "../../../mod.ts";
import { JobHost } from "../../../worker/host/job_host.ts";
import type { JobHosts, OpenHosts } from "../../../worker/host/job_hosts.ts";
import type { HostEvents, HostLink } from "../../../worker/host/link.ts";

/** A link that a test can break. */
export interface LocalLink extends HostLink {
  /** Ends the link with an error. Later calls fail with `HostUnavailableError`. */
  break(error: Error): void;
  /** The receiver of its events, once it is attached. */
  readonly events: HostEvents | undefined;
}

/** @param faults replace calls of the link while they are set */
function localLink(host: JobHost, faults: Partial<HostLink>): LocalLink {
  const closed = Promise.withResolvers<Error | undefined>();
  let isClosed = false;
  let events: HostEvents | undefined;
  const end = (error?: Error) => {
    isClosed = true;
    if (events !== undefined) host.detach(events);
    closed.resolve(error);
  };
  const own: Partial<LocalLink> = {
    closed: closed.promise,
    attach: (receiver) => host.attach(events = receiver),
    close: () => Promise.resolve(end()),
    break: end,
  };
  return new Proxy(host as unknown as LocalLink, {
    get(_, name) {
      if (name === "events") return events;
      if (name in own) return own[name as keyof LocalLink];
      if (name in faults && !isClosed) return faults[name as keyof HostLink];
      const value = host[name as keyof JobHost];
      if (typeof value !== "function") return value;
      return (...args: never[]) => {
        if (!isClosed) return (value as (...args: never[]) => unknown).apply(host, args);
        return ["forget", "setRoom", "unwatch", "retire"].includes(String(name))
          ? undefined
          : Promise.reject(new HostUnavailableError("the link is closed"));
      };
    },
  });
}

/** The job hosts of one data directory, in this process. */
export class LocalHosts implements JobHosts, AsyncDisposable {
  readonly #directory: string;
  readonly #hosts = new Map<string, JobHost>();
  readonly #dead = new Set<string>();
  readonly #killed: JobHost[] = [];
  readonly #links = new Map<string, LocalLink>();
  #currentId: string | undefined;
  /** The number of hosts that were launched. */
  launched = 0;
  /** The calls of all links that are replaced. */
  readonly faults: Partial<{ -readonly [Name in keyof HostLink]: HostLink[Name] }> = {};
  /** Makes each launch fail while it is set. */
  launchError: Error | undefined;

  /** @param directory the data directory */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The host for new jobs. */
  get current(): JobHost {
    const host = this.#hosts.get(this.#currentId ?? "");
    if (host === undefined) throw new Error("No job host runs");
    return host;
  }

  /** The link of the supervisor to the host for new jobs. */
  get link(): LocalLink {
    const link = this.#links.get(this.#currentId ?? "");
    if (link === undefined) throw new Error("No supervisor is attached");
    return link;
  }

  /** Makes the next supervisor start a new host, as a newer version does. */
  replaceCurrent(): void {
    this.#currentId = undefined;
  }

  /** Ends the current host as kill -9 does, as far as a supervisor can tell. Its processes live until they are recovered. */
  kill(): JobHost {
    const host = this.current;
    this.#hosts.delete(host.info.instance);
    this.#killed.push(host);
    this.#dead.add(host.info.instance);
    this.#links.get(host.info.instance)?.break(new Error("The job host has died"));
    this.#currentId = undefined;
    return host;
  }

  /**
   * Ends the current host in order, as `runHost()` does. No job of it runs. Its directory stays when no supervisor has
   * stored the end of a job.
   */
  async end(): Promise<void> {
    const host = this.current;
    const { instance } = host.info;
    this.#hosts.delete(instance);
    this.#currentId = undefined;
    host.refuseWork();
    const { hasJobs } = host;
    await host[Symbol.asyncDispose]();
    if (hasJobs) this.#dead.add(instance);
    else await Deno.remove(join(this.#directory, "hosts", instance), { recursive: true });
    this.#links.get(instance)?.break(new Error("The job host has ended"));
  }

  /** Makes the next supervisor count a host as dead that has ended, because it ends while the supervisor looks for hosts. */
  countAsDead(instance: string): void {
    this.#dead.add(instance);
  }

  open(): Promise<OpenHosts> {
    const links = [...this.#hosts.values()].map((host) => this.#linkTo(host));
    const current = links.find(({ info }) => info.instance === this.#currentId);
    return Promise.resolve({
      ...(current === undefined ? {} : { current }),
      others: links.filter((link) => link !== current),
      dead: [...this.#dead],
      unreachable: [],
    });
  }

  launch(): Promise<HostLink> {
    if (this.launchError !== undefined) return Promise.reject(this.launchError);
    this.launched += 1;
    const instance = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
    const host = new JobHost({
      outputDirectory: join(this.#directory, "output"),
      hostsDirectory: join(this.#directory, "hosts"),
      instance,
      version: "test",
      cgroupText: "Jobs have no cgroups",
    });
    this.#hosts.set(instance, host);
    this.#currentId = instance;
    return Promise.resolve(this.#linkTo(host));
  }

  connect(instance: string): Promise<HostLink | undefined> {
    const host = this.#hosts.get(instance);
    return Promise.resolve(host === undefined ? undefined : this.#linkTo(host));
  }

  #linkTo(host: JobHost): LocalLink {
    const link = localLink(host, this.faults);
    this.#links.set(host.info.instance, link);
    return link;
  }

  /** Ends all jobs and all hosts. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of [...this.#hosts.values(), ...this.#killed]) {
      await host.stopJobs(0);
      await host[Symbol.asyncDispose]();
    }
  }
}

/** Makes a supervisor, in one of the two forms. */
export type SupervisorClass = new (options?: SupervisorOptions) => Supervisor;

/**
 * Runs a test twice: with a supervisor that runs the jobs itself, and with one whose jobs run in job hosts. Both stop
 * their jobs when they close.
 */
export function eachForm(name: string, test: (supervisor: SupervisorClass) => Promise<void>): void {
  Deno.test(name, () => test(Supervisor));
  Deno.test(`${name}, with job hosts`, async () => {
    await using stack = new AsyncDisposableStack();
    const hostsOf = new Map<string, LocalHosts>();
    await test(
      class extends Supervisor {
        constructor(options: SupervisorOptions = {}) {
          const directory = options.directory ?? temporaryDirectory(stack);
          const hosts = hostsOf.get(directory) ?? stack.use(new LocalHosts(directory));
          hostsOf.set(directory, hosts);
          super({ ...options, directory, hosts, stopsJobs: true });
        }
      },
    );
  });
}

function temporaryDirectory(stack: AsyncDisposableStack): string {
  const directory = Deno.makeTempDirSync({ prefix: "teleport_test_" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  return directory;
}
