/** Runs h2spec against a server. It completes, has only known failures, and does not disturb other clients. */
import assert from "node:assert/strict";
import { complaints, makeStage } from "../torture/stage.ts";
import { buildWithGo } from "../support/go_program.ts";
import { H2SPEC, runH2spec, startProxy } from "./h2spec.ts";
import { skippedIf } from "../support/needs.ts";

/** The tests that may fail, and why. docs/reliability.md has the same table. */
const NGHTTP2_FORGETS = "nghttp2 keeps no closed streams, and ignores frames on them";
const PRIORITY_IS_GONE = "RFC 9113 has removed priorities, and nghttp2 ignores the frame";
const NO_BODY = "a request that is not gRPC is answered with headers only";
const ALLOWED: Readonly<Record<string, string>> = {
  "generic/2: Sends a WINDOW_UPDATE frame on half-closed (remote) stream": NO_BODY,
  "generic/2: Sends a PRIORITY frame on half-closed (remote) stream": NO_BODY,
  "http2/5.1: closed: Sends a DATA frame after sending RST_STREAM frame": NGHTTP2_FORGETS,
  "http2/5.1: closed: Sends a HEADERS frame after sending RST_STREAM frame": NGHTTP2_FORGETS,
  "http2/5.1: closed: Sends a DATA frame": NGHTTP2_FORGETS,
  "http2/5.1: closed: Sends a HEADERS frame": NGHTTP2_FORGETS,
  "http2/5.1.1: Sends stream identifier that is numerically smaller than previous": NGHTTP2_FORGETS,
  "http2/5.3.1: Sends HEADERS frame that depends on itself": PRIORITY_IS_GONE,
  "http2/5.3.1: Sends PRIORITY frame that depend on itself": PRIORITY_IS_GONE,
  "http2/6.3: Sends a PRIORITY frame with 0x0 stream identifier": PRIORITY_IS_GONE,
  "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream":
    "nghttp2 ends the connection, and not only the stream",
  "http2/8.1.2.1: Sends a HEADERS frame that contains a pseudo-header field as trailers":
    "the answer has ended before the trailers come",
};

const TESTS = 145;
const TIMEOUT_MS = 180_000;
const SETTLE_MS = 2_000;

const { path, missing } = await buildWithGo(H2SPEC, "h2spec");

Deno.test(skippedIf(missing, "h2spec completes with only known failures"), async () => {
  await using stage = await makeStage();
  await using proxy = startProxy(stage.port, stage.users.admin);
  const outcome = await stage.watch(async () => {
    const run = async () => {
      const { tests, failures } = await runH2spec(path, proxy.port, TIMEOUT_MS);
      assert.equal(tests, TESTS, "It did not run to its end");
      return failures;
    };
    const failures = await run();
    const unknown = failures.filter((failure) => !(failure in ALLOWED));
    // h2spec waits two seconds for each answer, and a busy machine may need longer. So only a second failure counts.
    const again = unknown.length === 0 ? [] : await run();
    assert.deepEqual(unknown.filter((failure) => again.includes(failure)), []);
    return `${failures.length} failures`;
  }, SETTLE_MS);
  const found = complaints(outcome).filter((complaint) => !complaint.startsWith("Memory"));
  assert.deepEqual(found, []);
  assert.equal(await stage.server.stop(), 0);
});

Deno.test("docs/reliability.md names every test of h2spec that may fail", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/reliability.md", import.meta.url));
  for (const failure of Object.keys(ALLOWED)) {
    assert.ok(page.includes(failure.slice(0, failure.indexOf(":"))), failure);
  }
});
