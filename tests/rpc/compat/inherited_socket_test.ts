/** Tests of rpc/compat/inherited_socket.ts, and of a ListenSocket on an inherited socket. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { inheritedAddress, NotListeningError } from "../../../rpc/compat/inherited_socket.ts";
import { ListenSocket } from "../../../rpc/compat/listen_socket.ts";
import { F_DUPFD_CLOEXEC, openSocketLibrary } from "../../../rpc/compat/socket_calls.ts";
import { inheritableSocket } from "../../support/listening_socket.ts";

Deno.test("inheritedAddress() returns the address, and keeps the socket from children", () => {
  using inherited = inheritableSocket();
  const { host, port } = inheritedAddress(inherited.descriptor);
  assert.equal(`${host}:${port}`, inherited.address);
  const flags = Deno.readTextFileSync(`/proc/self/fdinfo/${inherited.descriptor}`);
  assert.match(flags, /^flags:\s*02004002$/m, "O_CLOEXEC, O_NONBLOCK and O_RDWR");
});

Deno.test("inheritedAddress() says why a descriptor cannot be used", () => {
  using udp = inheritableSocket("udp");
  using silent = inheritableSocket("connected to nothing");
  using file = Deno.openSync("/dev/null");
  const fileDescriptor = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name))
    .find((descriptor) => linkOf(descriptor) === "/dev/null" && descriptor > 2)!;
  assert.ok(file);
  const cases = [
    [udp.descriptor, `descriptor ${udp.descriptor} is a socket of another kind than TCP`],
    [silent.descriptor, `descriptor ${silent.descriptor} is a socket that does not listen`],
    [fileDescriptor, `descriptor ${fileDescriptor} is not a socket`],
    [999_999, "descriptor 999999 is not open"],
  ] as const;
  for (const [descriptor, message] of cases) {
    assert.throws(() => inheritedAddress(descriptor), (error) => {
      assert.ok(error instanceof NotListeningError);
      assert.equal(error.message, message);
      return true;
    });
  }
});

function linkOf(descriptor: number): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined; // The descriptor of the list itself.
  }
}

Deno.test("a connection that arrives between two holders of an inherited socket is accepted by the second", async () => {
  using inherited = inheritableSocket();
  const library = openSocketLibrary();
  const { fcntl } = library.symbols;
  const { port } = inheritedAddress(inherited.descriptor);
  const holder = () => new ListenSocket(fcntl(inherited.descriptor, F_DUPFD_CLOEXEC, 3));
  holder().close();
  const client = connect(port, "127.0.0.1");
  await new Promise((resolve) => client.once("connect", resolve));
  const second = holder();
  assert.deepEqual(await second.wait([], true, 5_000), { listener: true, descriptors: [] });
  const accepted = second.accept();
  assert.deepEqual(accepted?.peer, { host: "127.0.0.1", port: client.localPort });
  second.end(accepted!.descriptor);
  second.close();
  library.close();
  await new Promise<void>((resolve) => client.once("close", () => resolve()).destroy());
});
