/** Torture by random messages in every call, as every role. Each call gets an error code that does not blame the server. */
import assert from "node:assert/strict";
import { connect } from "../../rpc/client/client.ts";
import { rawClient } from "../support/raw_client.ts";
import { removeOthers } from "./leftover_jobs.ts";
import { randomMessage } from "./message_bytes.ts";
import type { Torture } from "./torture.ts";

const SHORT = 300;
const LONG = 20_000;
const AT_ONCE = 50;

/** The longest time of a call in milliseconds: a stream that follows a job has no end. A refusal comes long before. */
const LEAVE_MS = 400;

/** Status codes of gRPC. */
const UNKNOWN = 2;
const INTERNAL = 13;

/** The RST_STREAM code of the client itself. */
const CANCEL = 8;

/** The torture by messages. */
export const messages: Torture = {
  name: "messages",
  about: "random bytes and mutated messages in every call, as every role",
  async run({ port, users, jobId }, random, { short, amount = short ? SHORT : LONG }) {
    await using admin = connect({ address: `127.0.0.1:${port}`, credentials: users.admin });
    const codes = new Map<number | undefined, number>();
    const roles = ["admin", "viewer", "stranger"] as const;
    for (const role of roles) {
      const { id: initial } = await admin.calls.Register({ command: "true" });
      const { id: ended } = await admin.calls.Register({ command: "true" });
      for await (const _ of admin.calls.Start({ id: ended }));
      await using client = await rawClient({ port, ...users[role] });
      for (let sent = 0; sent < amount; sent += AT_ONCE) {
        const calls = Array.from({ length: AT_ONCE }, () => {
          const { path, bytes } = randomMessage(random, [initial, ended]);
          return { path, bytes, call: client.call(path, [bytes]) };
        });
        const leave = setTimeout(() => calls.forEach(({ call }) => call.stream.close(CANCEL)), LEAVE_MS);
        for (const { path, bytes, call } of calls) {
          const { code, resetCode } = await call.ended;
          codes.set(code, (codes.get(code) ?? 0) + 1);
          const isOk = code === undefined ? resetCode === CANCEL : code !== UNKNOWN && code !== INTERNAL;
          assert.ok(isOk, `${role}, ${path}, ${bytes.toHex()}: code ${code}, reset ${resetCode}`);
        }
        clearTimeout(leave);
      }
    }
    await removeOthers(admin.calls, jobId);
    const counted = [...codes].map(([code, count]) => `${count} with code ${code ?? "none"}`).join(", ");
    return `${amount * roles.length} messages: ${counted}`;
  },
};
