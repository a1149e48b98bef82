/** The text of a profile. */
import assert from "node:assert/strict";
import { profileText } from "../../bench/profile.ts";

const ROOT = new URL("../../", import.meta.url).href;

const node = (id: number, functionName: string, url = "", lineNumber = -1) => {
  return { id, callFrame: { functionName, url, lineNumber } };
};

Deno.test("profileText() sums the time of each function, without idle time and without directories", () => {
  const text = profileText({
    nodes: [
      node(1, "(idle)"),
      node(2, "send", `${ROOT}rpc/client/send.ts`, 9),
      node(3, "", "file:///home/ada/.cache/deno/npm/registry.example/@grpc/grpc-js/1.14.7/build/call.js", 4),
      node(4, "send", `${ROOT}rpc/client/send.ts`, 9),
    ],
    samples: [1, 2, 3, 4],
    timeDeltas: [50_000, 10_000, 10_000, 20_000],
  });
  assert.deepEqual(text.split("\n"), [
    "40 ms busy, 50 ms idle",
    " 75.0%     30 ms  send rpc/client/send.ts:10",
    " 25.0%     10 ms  (anonymous) npm:@grpc/grpc-js/1.14.7/build/call.js:5",
  ]);
});
