/** Accepts the hosts that dial: only the first one of a job, and makes its connection the link of the job. */
import { defined } from "../../base/defined.ts";
import { HostUnavailableError, TeleportError } from "../errors.ts";
import type { HostedJob } from "../host/hosted_job.ts";
import type { HostEvents } from "../host/link.ts";
import { acceptDial, receiveDial, refuseDial } from "../host/node/accept_dial.ts";
import type { Dial, DialRefusal } from "../host/node/node_messages.ts";
import { NodeLink } from "../host/node/node_link.ts";
import { MessageConnection } from "../host/socket/message_connection.ts";
import type { LogReplica } from "../output/log_replica.ts";
import type { PlacedHost } from "./placed_host.ts";
import type { DialIn } from "./placing.ts";

/** The time that a host has to acknowledge a message, in milliseconds. The network may lose packets. */
const ACKNOWLEDGE_MS = 15_000;
/** The differences of a node's clock that are reported, in milliseconds. A dial that is read late makes it seem slow. */
const CLOCK_FAST_MS = 5_000;
const CLOCK_SLOW_MS = 60_000;

/** Options of the door. */
export interface NodeDoorOptions {
  /** Returns the host of a job that has not ended. */
  readonly find: (id: string) => { readonly host: PlacedHost; readonly job: HostedJob } | undefined;
  /** Returns the copy of a job's log. */
  readonly replicaOf: (host: PlacedHost, job: HostedJob) => Promise<LogReplica>;
  /** Called when the link of a host is lost. */
  readonly onLost: (host: PlacedHost) => void;
  /** Called when the machine of a host cannot run its job. */
  readonly onRefused: (host: PlacedHost, job: HostedJob, error: TeleportError) => void;
  readonly onWarning: (message: string) => void;
  readonly onError: (error: unknown) => void;
}

/** The door for hosts that dial. */
export class NodeDoor {
  readonly #options: NodeDoorOptions;
  #isClosed = false;

  constructor(options: NodeDoorOptions) {
    this.#options = options;
  }

  /** Accepts no more hosts. */
  close(): void {
    this.#isClosed = true;
  }

  /** Handles a connection. Resolves when it is refused, or is the link of a job. */
  async receive({ id, stream }: DialIn): Promise<void> {
    const connection = new MessageConnection(stream);
    const dial = await receiveDial(connection);
    if (dial === undefined || this.#isClosed) return connection.close();
    const found = this.#options.find(id);
    const refused = found === undefined ? "OVER" : this.#claim(found.host, found.job, dial);
    if (refused !== undefined || found === undefined) return await refuseDial(connection, refused ?? "OVER");
    if (!acceptDial(connection, dial)) return await refuseDial(connection, "PROTOCOL");
    const { host, job } = found;
    this.#checkClock(host, dial);
    // A log has one writer, so a newer connection waits until the one before has ended.
    host.handled = host.handled.then(() => this.#link(host, job, connection, dial)).catch((error) => {
      connection.close();
      if (!(error instanceof HostUnavailableError)) this.#options.onError(error);
    });
    await host.handled;
  }

  /** Stores that this host process alone may start the job. Returns why it may not. */
  #claim(host: PlacedHost, job: HostedJob, dial: Dial): DialRefusal | undefined {
    if (host.isOver) return "OVER";
    if (!host.mayBe(dial)) return "TAKEN";
    if (!host.isUnclaimed) return undefined;
    const takeBack = host.claim(dial);
    try {
      job.recordPlacement();
      return undefined;
    } catch (error) {
      takeBack();
      this.#options.onError(error);
      return "LATER";
    }
  }

  #checkClock(host: PlacedHost, { nowMs, node }: Dial): void {
    const aheadMs = Math.round(nowMs - Date.now());
    if (aheadMs < CLOCK_FAST_MS && aheadMs > -CLOCK_SLOW_MS) return;
    this.#options.onWarning(
      `The clock of node "${node}" differs by ${aheadMs} ms from this machine's: the times of job "${host.job}" are the node's`,
    );
  }

  async #link(host: PlacedHost, job: HostedJob, connection: MessageConnection, dial: Dial): Promise<void> {
    const earlier = host.open;
    if (earlier !== undefined) {
      host.drop();
      await earlier.close();
    }
    if (host.isOver || job.isFinalState || this.#isClosed) return connection.close();
    const replica = await this.#options.replicaOf(host, job);
    const options = { job: job.id, replica, range: host.range, acknowledgeMs: ACKNOWLEDGE_MS };
    const link = new NodeLink(connection, dial.info, options);
    void link.closed.then(() => {
      replica.close();
      if (host.open === link) host.drop();
      this.#options.onLost(host);
    });
    await this.#attach(host, job, link);
    if (job.isFinalState) return;
    if (dial.recovers) await this.#recover(job, link);
    // The host of a start that has not arrived knows no job.
    else if (job.processStatus.state === "STARTING") await this.#start(host, job);
    // Not awaited: the stop ends with the job.
    if (host.stop !== undefined) void link.stop(job.id, host.stop).catch(() => {}); // The engine asks the host too.
  }

  async #attach(host: PlacedHost, job: HostedJob, link: NodeLink): Promise<void> {
    const early: (() => void)[] = [];
    let isAttached = false;
    const inOrder = (event: () => void) => isAttached ? event() : void early.push(event);
    const events: HostEvents = {
      changed: (change) => inOrder(() => job.apply(change)),
      grew: (_id, range) => {
        host.range = range;
        inOrder(() => job.takeGrowth(range));
      },
      // The spool of a node has the limit of the job alone.
      needsRoom: () => {},
      availability: (isAvailable) => void (!isAvailable && link.close()),
      failed: this.#options.onError,
    };
    const states = await link.attach(events).catch(async (error) => {
      await link.close();
      throw error;
    });
    host.use(link);
    for (const state of states) job.takeState(state);
    isAttached = true;
    for (const event of early) event();
  }

  async #start(host: PlacedHost, job: HostedJob): Promise<void> {
    try {
      await job.hostStart.request();
    } catch (error) {
      if (error instanceof HostUnavailableError) return; // It is requested again with the next link.
      if (!(error instanceof TeleportError)) throw error;
      this.#options.onRefused(host, job, error);
    }
  }

  /** Has a job recovered whose host process has died. */
  async #recover(job: HostedJob, link: NodeLink): Promise<void> {
    const { spec, processStatus: status, process } = job;
    job.apply(await link.recover({ spec, status, ...defined({ process }) }));
  }
}
