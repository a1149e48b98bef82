/** A route from nodes to a gateway, which a test cuts, or on which nothing arrives any more. */

/** A TCP proxy on a free port. */
export class Route implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  #isCut = false;
  #frozen: PromiseWithResolvers<void> | undefined;
  /** The port of the gateway. Without one the route is cut. */
  target: number | undefined;

  constructor() {
    this.#accepting = this.#accept();
  }

  /** The address for nodes. */
  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Ends all connections, and ends each new one at once. */
  cut(): void {
    this.#isCut = true;
    for (const connection of this.#connections) close(connection);
  }

  /** Keeps all connections, and lets nothing through any more. */
  freeze(): void {
    this.#frozen ??= Promise.withResolvers();
  }

  /** Lets everything through again. */
  restore(): void {
    this.#isCut = false;
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  async #accept(): Promise<void> {
    for await (const node of this.#listener) void this.#serve(node);
  }

  async #serve(node: Deno.Conn): Promise<void> {
    this.#connections.add(node);
    try {
      await this.#frozen?.promise;
      if (this.#isCut || this.target === undefined) return;
      const gateway = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      this.#connections.add(gateway);
      // The end of one direction ends both.
      await Promise.race([this.#pass(node, gateway), this.#pass(gateway, node)]);
      close(gateway);
      this.#connections.delete(gateway);
    } catch {
      // The gateway is away.
    } finally {
      close(node);
      this.#connections.delete(node);
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const bytes = new Uint8Array(65_536);
    try {
      for (let count = await from.read(bytes); count !== null; count = await from.read(bytes)) {
        await this.#frozen?.promise;
        for (let at = 0; at < count;) at += await to.write(bytes.subarray(at, count));
      }
    } catch {
      // The connection was ended.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.restore();
    this.#listener.close();
    await this.#accepting;
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
