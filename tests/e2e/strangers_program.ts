// deno-lint-ignore-file no-console -- its one line is for the test that starts it
/**
 * A program of strangers: silent connections, idle TLS clients without a role, and connections that come and go. It
 * prints "ready" once all are connected, and exits when its standard input ends.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, createSecureContext } from "node:tls";

/** The strangers of {@linkcode startStrangers}. */
export interface Strangers {
  readonly port: number;
  /** A certificate directory with a client `eve`. */
  readonly certs: string;
  /** The number of connections that send nothing. */
  readonly silent?: number;
  /** The number of TLS clients that send nothing after the handshake. */
  readonly idle?: number;
  /** The floods: connections that leave at once, send half a ClientHello, or leave after TLS. */
  readonly floods?: readonly ("LEAVE" | "HALF" | "TLS")[];
}

/** A running program of strangers. */
export interface RunningStrangers extends AsyncDisposable {
  /** Resolves when all strangers are connected. */
  readonly ready: Promise<void>;
}

/** Starts the program. Disposal ends it. */
export function startStrangers(strangers: Strangers): RunningStrangers {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", new URL(import.meta.url).pathname, JSON.stringify(strangers)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const ready = (async () => {
    const { value } = await process.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
    if (value?.trim() !== "ready") throw new Error(`The strangers did not come: ${value}`);
  })();
  return {
    ready,
    async [Symbol.asyncDispose]() {
      await process.stdin.close();
      await Promise.all([ready.catch(() => {}), process.status]);
    },
  };
}

async function run({ port, certs, silent = 0, idle = 0, floods = [] }: Strangers): Promise<void> {
  const to = { port, host: "127.0.0.1" };
  const sockets: Socket[] = [];
  const opened = (socket: Socket, event: string) => {
    sockets.push(socket.on("error", () => {}));
    return new Promise<void>((resolve) => socket.once(event, () => resolve()).once("close", () => resolve()));
  };
  const read = (name: string) => Deno.readTextFileSync(`${certs}/${name}`);
  const secureContext = createSecureContext({ ca: read("ca.crt"), cert: read("eve.crt"), key: read("eve.key") });
  const tls = () => connectTls({ ...to, servername: "localhost", ALPNProtocols: ["h2"], secureContext });

  /** Opens a number of connections, some at a time, as other machines would. */
  async function all(count: number, open: () => Promise<void>): Promise<void> {
    let left = count;
    await Promise.all(Array.from({ length: 50 }, async () => {
      while (left-- > 0) await open();
    }));
  }
  await all(silent, () => opened(connectTcp(to), "connect"));
  await all(idle, () => opened(tls(), "secureConnect"));
  const flood = {
    LEAVE: () => opened(connectTcp(to), "connect"),
    // The header of a TLS record of 512 bytes, without its content.
    HALF: () =>
      opened(
        connectTcp(to, function (this: Socket) {
          this.write(Uint8Array.of(22, 3, 1, 2, 0));
        }),
        "connect",
      ),
    TLS: () => opened(tls(), "secureConnect"),
  };
  let isOver = false;
  const flooding = floods.map((kind) =>
    all(Infinity, async () => {
      if (isOver) return await new Promise(() => {});
      await flood[kind]();
      if (kind !== "HALF" || sockets.length > 2_000) sockets.shift()?.destroy();
    })
  );
  void Promise.all(flooding);
  console.log("ready");
  for await (const _ of Deno.stdin.readable);
  isOver = true;
  Deno.exit(0);
}

if (import.meta.main) await run(JSON.parse(Deno.args[0]!) as Strangers);
