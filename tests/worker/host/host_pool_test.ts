/** Tests the connections of a supervisor to the job hosts of its start. */
import assert from "node:assert/strict";
import { HostUnavailableError } from "../../../worker/errors.ts";
import { HostPool, type HostPoolEvents } from "../../../worker/host/host_pool.ts";
import type { JobHosts } from "../../../worker/host/job_hosts.ts";
import type { HostLink } from "../../../worker/host/link.ts";
import { HostConnectError } from "../../../worker/host/socket/connect_host.ts";
import { deadline } from "../../support/deadline.ts";
import { FakeHost } from "./socket/fake_host.ts";

/** A pool whose host "a" cannot be reached at first. */
async function poolWithout(answers: (() => HostLink | undefined)[]) {
  const noted: unknown[] = [];
  const done = Promise.withResolvers<void>();
  const hosts: JobHosts = {
    open: () => Promise.resolve({ others: [], dead: [], unreachable: ["a"] }),
    launch: () => Promise.reject(new Error("not needed")),
    // deno-lint-ignore require-await
    connect: async () => (answers.shift() ?? (() => undefined))(),
  };
  const events: HostPoolEvents = {
    attached(host) {
      noted.push(`attached ${host.instance}`);
      done.resolve();
    },
    answers: () => {},
    fellSilent: () => {},
    async died(host) {
      noted.push(`died ${host.instance}`);
      done.resolve();
      await done.promise;
    },
    changed: () => {},
    grew: () => {},
    needsRoom: () => {},
    availability: (isAvailable) => noted.push(isAvailable),
    failed: (error) => noted.push(String(error)),
  };
  const pool = new HostPool(hosts, events);
  await pool.open();
  await pool.attachAll();
  return { pool, noted, done: done.promise };
}

Deno.test("HostPool attaches to a host that answers after the start", async () => {
  const silent = () => {
    throw new HostUnavailableError("it does not answer");
  };
  const { pool, noted, done } = await poolWithout([silent, silent, () => new FakeHost("a")]);
  assert.throws(() => pool.find("a")?.link, HostUnavailableError);
  await deadline(done);
  await pool.close();
  assert.deepEqual(noted.slice(0, 2), [false, "attached a"]);
});

Deno.test("HostPool is available while a host has another protocol, and notes its end", async () => {
  const newer = () => {
    throw new HostConnectError("PROTOCOL", "it has the protocols 8 to 9");
  };
  const { pool, noted, done } = await poolWithout([newer]);
  await deadline(done);
  await pool.close();
  assert.deepEqual(noted, ["died a"]);
});

Deno.test("HostPool retires older hosts, and uses a host again that an earlier server has retired", async () => {
  const [current, other] = [new FakeHost("a"), new FakeHost("b")];
  const hosts: JobHosts = {
    open: () => Promise.resolve({ current, others: [other], dead: [], unreachable: [] }),
    launch: () => Promise.reject(new Error("not needed")),
    connect: () => Promise.reject(new Error("not needed")),
  };
  const ignore = () => {};
  const events = {
    attached: ignore,
    answers: ignore,
    fellSilent: ignore,
    died: () => Promise.resolve(),
    changed: ignore,
    grew: ignore,
  };
  const pool = new HostPool(hosts, { ...events, needsRoom: ignore, availability: ignore, failed: ignore });
  await pool.open();
  await pool.attachAll();
  await pool.close();
  const retired = ({ calls }: FakeHost) => calls.filter(([name]) => name === "retire");
  assert.deepEqual([retired(current), retired(other)], [[["retire", false]], [["retire", true]]]);
});
