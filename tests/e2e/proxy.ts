/** A network that a test can break: a proxy that forwards connections to a server. */

/** Forwards connections to a server, and breaks all of them on request. */
export class Proxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: Deno.ConnectOptions;
  readonly #open = new Set<Deno.Conn>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #accepting: Promise<void>;
  /** The number of bytes from the server. */
  bytes = 0;
  /** The number of bytes to the server. */
  sentBytes = 0;
  onBytes: () => void = () => {};
  /** Called before bytes of the server are forwarded. When it returns true, the connection is broken instead. */
  isToCut: (() => Promise<boolean>) | undefined;
  /** The time in milliseconds after which a quiet connection is broken, as load balancers do. */
  idleMs: number | undefined;
  /** The number of quiet connections that were broken. */
  idleCuts = 0;
  /** Called for each connection. When it returns true, the connection is closed at once, as without a server. */
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
      // The connection was broken here or by one side.
    }
    for (const connection of [from, to]) if (this.#open.delete(connection)) connection.close();
  }

  /** Returns the function that is called for each chunk of the connection. */
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
