/** Why a server cannot be reached, from the texts of grpc-js. */
import assert from "node:assert/strict";
import { explainUnavailable } from "../../../rpc/shared/unavailable.ts";

Deno.test("explainUnavailable() reports a lost connection when a write was cancelled", () => {
  const { reason, message } = explainUnavailable("Write error: write ECANCELED", { host: "127.0.0.1", port: 1 }) ?? {};
  assert.equal(reason, "LOST");
  assert.equal(message, 'Cannot reach the server at "127.0.0.1:1": the connection was lost: try again');
});

Deno.test("explainUnavailable() names a server that stops before the certificate, when the connection was not used yet", () => {
  const details = "No connection established. Last error: Error: read ECONNRESET. Resolution note: ";
  const { reason, message } = explainUnavailable(details, { host: "127.0.0.1", port: 1 })!;
  assert.equal(reason, "LOST_OR_REFUSED");
  assert.match(
    message,
    /lost before an answer, as when the server stops or starts: try again\. If that does not help, it /,
  );
});
