/** The variables by which a service manager passes a listening socket. */
import assert from "node:assert/strict";
import { inheritedSocket } from "../../../teleportd/process/socket_activation.ts";
import { StartError } from "../../../teleportd/start_error.ts";

Deno.test("inheritedSocket() returns descriptor 3 for one socket that was passed to this process", () => {
  assert.equal(inheritedSocket({ LISTEN_PID: "42", LISTEN_FDS: "1" }, 42), 3);
  assert.equal(inheritedSocket({ LISTEN_PID: String(Deno.pid), LISTEN_FDS: "1", LISTEN_FDNAMES: "x" }), 3);
});

Deno.test("inheritedSocket() returns undefined without variables, with those of a parent, and for no socket", () => {
  for (const env of [{}, { LISTEN_FDS: "1" }, { LISTEN_PID: "41", LISTEN_FDS: "1" }, { LISTEN_PID: "42" }]) {
    assert.equal(inheritedSocket(env, 42), undefined);
  }
  assert.equal(inheritedSocket({ LISTEN_PID: "42", LISTEN_FDS: "0" }, 42), undefined);
});

Deno.test("inheritedSocket() refuses several sockets with their names, and a number that is none", () => {
  const messageOf = (LISTEN_FDS: string, LISTEN_FDNAMES?: string) => {
    let message = "";
    assert.throws(() => inheritedSocket({ LISTEN_PID: "42", LISTEN_FDS, LISTEN_FDNAMES }, 42), (error) => {
      message = error instanceof StartError ? error.message : "";
      return error instanceof StartError;
    });
    return message;
  };
  assert.match(messageOf("2", "a.socket:b.socket"), /it has passed 2 \(a\.socket, b\.socket\), and teleportd uses one/);
  assert.match(messageOf("2"), /it has passed 2, and teleportd uses one; leave one ListenStream=/);
  for (const bad of ["", "-1", "one", "1e3"]) assert.match(messageOf(bad), /not a number$/, bad);
});
