/** A server on a socket that a service manager has passed: its port stays open while the server restarts. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import { inheritableSocket } from "../support/listening_socket.ts";
import { spawnServer, spawnTeleport, startServer, teleportOk } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";

const hasBash = await new Deno.Command("bash", { args: ["-c", "true"] }).output().then(
  ({ success }) => success,
  () => false,
);

Deno.test({
  name: "a client that connects between two servers waits in the passed socket, and is served by the second",
  ignore: !hasBash,
  async fn() {
    await using dir = await tempDir();
    using socket = inheritableSocket();
    const options = { dir: dir.path, starter: socket.starter };
    {
      await using server = await startServer(options);
      assert.equal(server.address, socket.address);
      // Its job has the three standard descriptors, and the one by which ls reads the list.
      const descriptors = await teleportOk(server, "run", "ls", "/proc/self/fd");
      assert.deepEqual(descriptors.split("\n"), ["0", "1", "2", "3"]);
      assert.equal(await server.stop(), 0);
    }
    // No server runs, and the client is not refused.
    const client = spawnTeleport({ address: socket.address, dir: dir.path }, "run", "echo", "served");
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(socket.address.split(":")[1]) });
    connection.close();
    await using _server = await startServer(options);
    const { code, stdout, stderr } = await deadline(client.output(), "the end of the client");
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.deepEqual([code, text(stdout), text(stderr)], [0, "served\n", ""]);
  },
});

Deno.test({
  name: "a server refuses a passed socket that does not listen, with a sentence",
  ignore: !hasBash,
  async fn() {
    await using dir = await tempDir();
    using socket = inheritableSocket("connected to nothing");
    const { process } = spawnServer({ dir: dir.path, starter: socket.starter });
    const { growing: log, ended } = readText(process.stderr);
    assert.equal((await deadline(process.status, "the end of the server")).code, 1);
    await ended;
    assert.match(
      log.text,
      /error Cannot use the socket of the service manager: descriptor 3 is a socket that does not listen;/,
    );
  },
});
