/** Which address a server listens on. */
import assert from "node:assert/strict";
import { parseAddress } from "../../rpc/shared/address.ts";
import { listenTarget } from "../../teleportd/listen_target.ts";
import { StartError } from "../../teleportd/start_error.ts";
import { inheritableSocket } from "../support/listening_socket.ts";

Deno.test("listenTarget() returns the flag, or the default", async () => {
  assert.deepEqual(await listenTarget("0.0.0.0:7", undefined), { host: "0.0.0.0", port: 7 });
  assert.deepEqual(await listenTarget(undefined, undefined), { host: "127.0.0.1", port: 50051 });
});

Deno.test("listenTarget() returns a passed socket with which the flag agrees", async () => {
  using socket = inheritableSocket();
  const target = { ...parseAddress(socket.address), descriptor: socket.descriptor };
  for (const flag of [undefined, socket.address, "127.0.0.1:0", `localhost:${target.port}`]) {
    assert.deepEqual(await listenTarget(flag, socket.descriptor), target, String(flag));
  }
});

Deno.test("listenTarget() refuses a flag that names another address than the passed socket", async () => {
  using socket = inheritableSocket();
  for (const flag of ["0.0.0.0:0", "127.0.0.1:1"]) {
    await assert.rejects(listenTarget(flag, socket.descriptor), (error) => {
      assert.ok(error instanceof StartError && error.code === "USAGE");
      assert.match(error.message, new RegExp(`^Cannot listen on "${flag}": .*"${socket.address}"; leave --listen out`));
      return true;
    });
  }
});

Deno.test("listenTarget() refuses a passed descriptor that is not a listening socket", async () => {
  using socket = inheritableSocket("udp");
  await assert.rejects(listenTarget(undefined, socket.descriptor), (error) => {
    assert.ok(error instanceof StartError && error.code === "FAILED");
    assert.match(
      error.message,
      /^Cannot use the socket of the service manager: descriptor \d+ is .* than TCP; pass a TCP/,
    );
    return true;
  });
});
