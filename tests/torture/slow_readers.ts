/** Torture by a viewer that asks for much and reads nothing, or reads many lists at once. */
import assert from "node:assert/strict";
import { connect } from "../../rpc/client/client.ts";
import { methods } from "../../rpc/shared/definition.ts";
import { rawClient } from "../support/raw_client.ts";
import { removeOthers } from "./leftover_jobs.ts";
import type { Torture } from "./torture.ts";

/** The time in which a server without bounds would make all answers. */
const WAIT_MS = 1_500;

/** The torture by slow readers. */
export const slowReaders: Torture = {
  name: "slow_readers",
  about: "hundreds of lists and streams that are not read, and lists that are",
  async run({ port, users, jobId }, _random, { short, amount = short ? 100 : 200 }) {
    await using admin = connect({ address: `127.0.0.1:${port}`, credentials: users.admin });
    const args = Array<string>(20).fill("x".repeat(100));
    for (let count = 0; count < 400; count += 20) {
      await Promise.all(Array.from({ length: 20 }, () => admin.calls.Register({ command: "true", args })));
    }
    const list = methods.List.requestSerialize({ page_size: 1_000 });
    const one = methods.GetOutput.requestSerialize({ id: jobId });
    {
      await using silent = await rawClient({ port, ...users.viewer, windowBytes: 0 });
      for (let count = 0; count < amount; count++) {
        silent.call("/teleport.v1.JobWorker/List", [list]);
        silent.call("/teleport.v1.JobWorker/GetOutput", [one]);
        silent.call("/teleport.v1.JobWorker/StatusStream", [one]);
        silent.call("/teleport.v1.JobWorker/WatchJobs", [new Uint8Array()]);
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
    await using reader = await rawClient({ port, ...users.viewer, windowBytes: 1024 * 1024 });
    const calls = Array.from({ length: amount }, () => reader.call("/teleport.v1.JobWorker/List", [list]));
    for (const { ended } of calls) assert.equal((await ended).code, 0);
    await removeOthers(admin.calls, jobId);
    return `${amount} lists and ${amount * 3} streams unread, ${amount} lists read`;
  },
};
