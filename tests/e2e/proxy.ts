/** A network that breaks when a test says so: passes connections on to a server, and cuts all of them when told to. */

/** Passes connections on to a server, and cuts all of them when told to. */
export class Proxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: Deno.ConnectOptions;
  readonly #open = new Set<Deno.Conn>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #accepting: Promise<void>;
  /** Bytes that came from the server. */
  bytes = 0;
  /** Bytes that went to the server. */
  sentBytes = 0;
  onBytes: () => void = () => {};
  /** Asked before what came from the server is passed on; where it says so, that connection is cut instead. */
  isToCut: (() => Promise<boolean>) | undefined;
  /** Cuts a connection over which nothing went for so long, in milliseconds, as load balancers do. */
  idleMs: number | undefined;
  /** How many connections were cut for that. */
  idleCuts = 0;
  /** Accepts and closes at once, as a forwarder does whose server is away; called for each connection. */
  onAway: (() => void) | undefined;

  constructor(address: string) {
    const [hostname = "", port] = address.split(":");
    this.#target = { hostname, port: Number(port) };
    this.#accepting = this.#accept();
  }

  get address(): string {
    const { hostname, port } = this.#listener.addr as Deno.NetAddr;
    return `${hostname}:${port}`;
  }

  async #accept(): Promise<void> {
    const pumps: Promise<void>[] = [];
    for await (const client of this.#listener) {
      if (this.onAway !== undefined) {
        client.close();
        this.onAway();
        continue;
      }
      const server = await Deno.connect(this.#target);
      for (const connection of [client, server]) {
        connection.setNoDelay(); // Forwarders do so; else each small frame waits for the one before to be acknowledged.
        this.#open.add(connection);
      }
      const alive = this.#cutWhenIdle(client, server);
      pumps.push(
        this.#pump(client, server, (bytes) => {
          this.sentBytes += bytes;
          alive();
        }),
        this.#pump(server, client, (bytes) => {
          this.bytes += bytes;
          alive();
        }, () => this.isToCut?.()),
      );
    }
    await Promise.all(pumps);
  }

  async #pump(
    from: Deno.Conn,
    to: Deno.Conn,
    count: (bytes: number) => void,
    isToCut?: () => Promise<boolean> | undefined,
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let length = await from.read(buffer); length !== null; length = await from.read(buffer)) {
        if (await isToCut?.()) break;
        for (let at = 0; at < length;) at += await to.write(buffer.subarray(at, length));
        count(length);
        this.onBytes();
      }
    } catch {
      // It was cut, here or by one of the two.
    }
    for (const connection of [from, to]) if (this.#open.delete(connection)) connection.close();
  }

  /** Returns what is to be called for each piece that goes over the connection. */
  #cutWhenIdle(...pair: Deno.Conn[]): () => void {
    const { idleMs } = this;
    if (idleMs === undefined) return () => {};
    const cut = () => {
      this.#timers.delete(timer);
      this.idleCuts += 1;
      for (const connection of pair) if (this.#open.delete(connection)) connection.close();
    };
    const start = () => {
      const timer = setTimeout(cut, idleMs);
      this.#timers.add(timer);
      return timer;
    };
    let timer = start();
    return () => {
      clearTimeout(timer);
      if (this.#timers.delete(timer)) timer = start();
    };
  }

  cut(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const connection of this.#open) {
      this.#open.delete(connection);
      connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#accepting;
  }
}
