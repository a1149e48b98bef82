/** An engine without machines: a test says when a job gets one, and what the engine says of it. */
import { join } from "node:path";
import { defined } from "../../base/defined.ts";
import type { CancelSignal, Engine, EngineRef, EngineWord, Needs } from "../../worker/engine/engine.ts";
import type { DialIn, HostReport, NodeGate, Placing } from "../../worker/engine/placing.ts";
import { dialGateway } from "../../worker/host/node/dial_loop.ts";
import { NodeJobHost } from "../../worker/host/node/node_host.ts";
import type { DialRefusal } from "../../worker/host/node/node_messages.ts";
import type { ByteStream } from "../../worker/host/socket/message_connection.ts";
import { eventually } from "./deadline.ts";

/** A job that was submitted. */
export interface Submission extends EngineRef {
  readonly handle: string;
  readonly needs: Needs;
}

/** One end of a connection in memory. */
class MemoryStream implements ByteStream {
  peer: MemoryStream | undefined;
  #chunks: Uint8Array[] = [];
  #isEnded = false;
  #arrived = Promise.withResolvers<void>();

  async read(bytes: Uint8Array): Promise<number | null> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        const part = chunk.subarray(0, bytes.length);
        bytes.set(part);
        if (part.length < chunk.length) this.#chunks.unshift(chunk.subarray(part.length));
        return part.length;
      }
      if (this.#isEnded) return null;
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers<void>();
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    await Promise.resolve();
    if (this.#isEnded) throw new Error("The connection has ended");
    this.peer?.push(bytes.slice());
    return bytes.length;
  }

  close(): void {
    this.end();
    this.peer?.end();
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#arrived.resolve();
  }

  end(): void {
    this.#isEnded = true;
    this.#arrived.resolve();
  }
}

/** Returns both ends of a connection in memory. */
export function memoryStreams(): readonly [ByteStream & { close(): void }, ByteStream] {
  const [one, other] = [new MemoryStream(), new MemoryStream()];
  one.peer = other;
  other.peer = one;
  return [one, other];
}

/** A host of a job in this process. */
export class FakeNode implements AsyncDisposable {
  readonly host: NodeJobHost;
  readonly run: string;
  /** Resolves when the host needs no gateway any more, with the refusal. */
  readonly over: Promise<DialRefusal | undefined>;
  readonly #end = new AbortController();
  #stream: ByteStream | undefined;
  /** False: the gateway cannot be reached. */
  isOnline = true;
  isLinked = false;

  constructor(
    engine: FakeEngine,
    id: string,
    { run, recovers }: { readonly run?: string; readonly recovers?: boolean } = {},
  ) {
    this.run = run ?? crypto.getRandomValues(new Uint8Array(16)).toHex();
    const data = join(engine.directory, id);
    this.host = new NodeJobHost({
      outputDirectory: join(data, "output"),
      hostsDirectory: join(data, "hosts"),
      instance: recovers ? `${id}-r` : id,
      version: "1.0.0",
      cgroupText: "no cgroups",
      onRetire: (isRetired) => {
        if (isRetired && !this.host.hasJobs) this.#end.abort();
      },
      onIdle: () => {
        if (!this.host.hasJobs && this.isLinked) this.#end.abort();
      },
    });
    this.over = dialGateway({
      host: this.host,
      info: this.host.info,
      dial: { run: this.run, node: "node-1", handle: "7", ...defined({ recovers: recovers || undefined }) },
      connect: async () => {
        await Promise.resolve();
        if (!this.isOnline) throw new Error("no route to the gateway");
        return this.#stream = engine.connect(id);
      },
      onLinked: (isLinked) => this.isLinked = isLinked,
      onError: (error) => engine.errors.push(error),
      signal: this.#end.signal,
    });
  }

  /** Cuts the connection. */
  cut(): void {
    this.#stream?.close();
  }

  /** Ends the loop, without an end of the job. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.cut();
    await this.over;
    await this.host.stopJobs(0);
    await this.host[Symbol.asyncDispose]();
  }
}

/** An engine without machines. */
export class FakeEngine implements Engine, NodeGate {
  readonly name = "fake";
  readonly directory: string;
  readonly submissions: Submission[] = [];
  /** The most submissions that ran at the same time. */
  mostAtOnce = 0;
  #running = 0;
  readonly cancelled: { readonly ref: EngineRef; readonly signal: CancelSignal }[] = [];
  readonly errors: unknown[] = [];
  /** Returns the words of the engine. By default each submission waits. */
  says: ((submissions: readonly Submission[]) => readonly EngineWord[]) | undefined;
  /** Thrown by the questions while it is set. */
  failures: Partial<Record<"submit" | "find" | "cancel" | "words", Error>> = {};
  #receive: ((dialIn: DialIn) => void) | undefined;

  /** @param directory the directory of the hosts */
  constructor(directory: string) {
    this.directory = directory;
  }

  /** Returns the placing of a supervisor, whose settling time is short. */
  placing(settleMs = 50): Placing {
    return { engine: this, gate: this, isDefault: true, defaults: {}, settleMs, firstWaitMs: 10 };
  }

  async submit(id: string, _token: string, needs: Needs): Promise<string> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#running);
    await Promise.resolve();
    this.#running--;
    if (this.failures.submit !== undefined) throw this.failures.submit;
    const handle = `${this.submissions.length + 1}`;
    this.submissions.push({ id, handle, needs });
    return handle;
  }

  async find(id: string): Promise<readonly EngineRef[]> {
    await Promise.resolve();
    if (this.failures.find !== undefined) throw this.failures.find;
    return this.submissions.filter((one) => one.id === id);
  }

  async cancel(ref: EngineRef, signal: CancelSignal): Promise<void> {
    await Promise.resolve();
    if (this.failures.cancel !== undefined) throw this.failures.cancel;
    this.cancelled.push({ ref, signal });
  }

  async words(): Promise<readonly EngineWord[]> {
    await Promise.resolve();
    if (this.failures.words !== undefined) throw this.failures.words;
    return this.says?.(this.submissions) ??
      this.submissions.map(({ id, handle }) => ({ id, handle, phase: "QUEUED", text: "PENDING (Resources)" }));
  }

  token(id: string): Promise<string> {
    return Promise.resolve(`token of ${id}`);
  }

  /** The standard error of all hosts. */
  stderr = "";

  report(id: string): Promise<HostReport> {
    return Promise.resolve({ path: `/spool/${id}.err`, text: this.stderr });
  }

  open(receive: (dialIn: DialIn) => void): Promise<void> {
    this.#receive = receive;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#receive = undefined;
    return Promise.resolve();
  }

  /** Connects a host to the gateway. */
  connect(id: string): ByteStream {
    if (this.#receive === undefined) throw new Error("The gateway does not listen");
    const [host, gateway] = memoryStreams();
    this.#receive({ id, stream: gateway, address: "node-1:1" });
    return host;
  }

  /** Resolves with a submission, by its order. */
  async submission(index = 0): Promise<Submission> {
    await eventually(() => this.submissions.length > index, `submission ${index}`);
    return this.submissions[index] as Submission;
  }
}
