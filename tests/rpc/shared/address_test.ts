/** Tests of rpc/shared/address.ts. */
import assert from "node:assert/strict";
import { AddressError, checkConnectable, formatAddress, parseAddress } from "../../../rpc/shared/address.ts";

const good: [string, string, number][] = [
  ["127.0.0.1:50051", "127.0.0.1", 50051],
  ["localhost:0", "localhost", 0],
  ["[::1]:65535", "::1", 65535],
  ["[fe80::1%eth0]:1", "fe80::1%eth0", 1],
  ["a-b.example.com:443", "a-b.example.com", 443],
];

for (const [text, host, port] of good) {
  Deno.test(`parseAddress() accepts ${text}, and formatAddress() returns it`, () => {
    assert.deepEqual(parseAddress(text), { host, port });
    assert.equal(formatAddress({ host, port }), text);
  });
}

const bad = [
  "",
  "localhost",
  ":1",
  "::1:1",
  "[::1]",
  "[127.0.0.1]:1",
  "[localhost]:1",
  "localhost:",
  "localhost:65536",
  "localhost:-1",
  "localhost:1e3",
  "localhost:1 ",
  " localhost:1",
  "a b:1",
  "a/b:1",
  "-a:1",
  "a..b:1",
  "dns:localhost:1",
  "unix:/run/x:1",
  `${"a".repeat(254)}:1`,
  "localhost\n:1",
];

for (const text of bad) {
  Deno.test(`parseAddress() throws for ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseAddress(text), (error) => {
      assert(error instanceof AddressError);
      assert.equal(error.code, "INVALID");
      assert(error.message.includes(JSON.stringify(text)));
      return true;
    });
  });
}

Deno.test("parseAddress() removes the final dot of a name", () => {
  assert.deepEqual(parseAddress("localhost.:50051"), { host: "localhost", port: 50051 });
  assert.throws(() => parseAddress("localhost..:50051"), { code: "INVALID" });
});

Deno.test("checkConnectable() throws for an address with a zone", () => {
  for (const text of ["[fe80::1%eth0]:50051", "[fe80::1%2]:1"]) {
    assert.throws(() => checkConnectable(parseAddress(text)), {
      code: "INVALID",
      message: /^Cannot connect to "\[fe80::1%\w+\]:\d+": addresses with a zone \("%"\) are not supported: give a name/,
    });
  }
  checkConnectable(parseAddress("[::1]:1"));
});
