/** Torture by HTTP/2 frames of every type, flag and length, after every kind of request, by every kind of user. */
import type { TlsCredentials } from "../../rpc/client/client.ts";
import { hostileWrites } from "./frames.ts";
import { Random } from "../support/random.ts";
import { USERS } from "./stage.ts";
import type { Torture } from "./torture.ts";

const AT_ONCE = 3;
const SHORT_CONNECTIONS = 300;
const LONG_CONNECTIONS = 20_000;

/** The time after which a connection without an end is left. Its server rightly waits for more. */
const PATIENCE_MS = 30;

/** The torture by frames. */
export const rawFrames: Torture = {
  name: "raw_frames",
  about: "connections of random frames, three at a time, by users of every kind",
  async run({ port, users }, random, { short, amount }) {
    const connections = amount ?? (short ? SHORT_CONNECTIONS : LONG_CONNECTIONS);
    let left = connections;
    const clients = Array.from({ length: AT_ONCE }, async () => {
      while (left > 0) {
        left -= 1;
        // Each connection has its own seed, so that it does not depend on the others.
        const own = new Random(random.below(0x1_0000_0000));
        await connection(port, users[USERS[left % USERS.length]!], own);
      }
    });
    await Promise.all(clients);
    return `${connections} connections`;
  },
};

/** Makes one connection. It may end in any way. */
async function connection(port: number, { ca, cert, key }: TlsCredentials, random: Random): Promise<void> {
  const options = { caCerts: [ca], cert, key, alpnProtocols: ["h2"] };
  const socket = await Deno.connectTls({ hostname: "127.0.0.1", port, ...options });
  try {
    for (const bytes of hostileWrites(random)) {
      await write(socket, bytes);
      if (random.chance(0.3)) await pause(random.below(4));
    }
    // Some connections do not read.
    if (random.chance(0.8)) await Promise.race([readToEnd(socket), pause(PATIENCE_MS)]);
  } catch {
    // The server may close the connection.
  } finally {
    try {
      socket.close();
    } catch {
      // It is already closed.
    }
  }
}

async function write(socket: Deno.TlsConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}

async function readToEnd(socket: Deno.TlsConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    while (await socket.read(buffer) !== null);
  } catch {
    // The server closed the connection.
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
