/** Tests of host names and IP addresses. */
import assert from "node:assert/strict";
import { localHosts, parseHost, parseHosts } from "../../certs/hosts.ts";
import { refuses } from "../support/certs.ts";

const GOOD = [
  ["localhost", "dns", "localhost"],
  ["Jobs.Example.ORG", "dns", "jobs.example.org"],
  ["my_container", "dns", "my_container"],
  ["xn--bcher-kva.example", "dns", "xn--bcher-kva.example"],
  ["*.example.org", "dns", "*.example.org"],
  ["7.example", "dns", "7.example"],
  ["a".repeat(63), "dns", "a".repeat(63)],
  ["127.0.0.1", "ip", "127.0.0.1"],
  ["0.0.0.0", "ip", "0.0.0.0"],
  ["255.255.255.255", "ip", "255.255.255.255"],
  ["::1", "ip", "::1"],
  ["2001:DB8:0:0:0:0:0:7", "ip", "2001:db8::7"],
  ["::ffff:192.0.2.7", "ip", "::ffff:c000:207"],
] as const;
for (const [host, type, value] of GOOD) {
  Deno.test(`parseHost() parses ${host} as ${type}`, () => {
    assert.deepEqual(parseHost(host), { type, value });
  });
}

const BAD = [
  "",
  ".",
  "a..b",
  ".a",
  "a.",
  "-a",
  "a-",
  "a b",
  "a/b",
  "localhost:50051",
  "127.0.0.1:50051",
  "[::1]",
  "http://a",
  "1.2.3",
  "1.2.3.4.5",
  "256.0.0.1",
  "01.2.3.4",
  "12345",
  "example.7",
  ":",
  ":::1",
  "1::2::3",
  "fe80::1%eth0",
  "*",
  "*.org",
  "a.*.org",
  "*a.example.org",
  "b\u00fccher.example",
  "a\0b",
  "a\n",
  "a".repeat(64),
  `${"a.".repeat(126)}ab`,
];
for (const host of BAD) {
  Deno.test(`parseHost() refuses ${JSON.stringify(host)}`, async () => {
    await refuses(() => parseHost(host), "INVALID_ARGUMENT", /^'--host' must be a DNS name such as .*, got ".*"$/);
  });
}

Deno.test("parseHosts() removes duplicates in other spellings", () => {
  assert.deepEqual(parseHosts(["A", "::1", "a", "0:0:0:0:0:0:0:1"]).map((host) => host.value), ["a", "::1"]);
});

Deno.test("parseHosts() accepts 64 and refuses 65", async () => {
  const hosts = Array.from({ length: 65 }, (_, index) => `host${index}`);
  assert.equal(parseHosts(hosts.slice(1)).length, 64);
  await refuses(() => parseHosts(hosts), "INVALID_ARGUMENT", /at most 64 hosts, got 65/);
});

Deno.test("localHosts() returns the three names of every machine, and only valid hosts", () => {
  const hosts = localHosts();
  assert.deepEqual(hosts.slice(0, 3), ["localhost", "127.0.0.1", "::1"]);
  assert.ok(parseHosts(hosts).length >= 3);
});
