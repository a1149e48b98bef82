/** The errors of a start: which ones an administrator can act on, and which are defects. */
import assert from "node:assert/strict";
import { CertificateError } from "../../certs/errors.ts";
import { InvalidArgumentError } from "../../mod.ts";
import { AddressError } from "../../rpc/shared/address.ts";
import { TlsCredentialsError } from "../../rpc/shared/tls_credentials.ts";
import { PolicyError } from "../../service/errors.ts";
import { startErrorOf } from "../../teleportd/expected_errors.ts";
import { StartError } from "../../teleportd/start_error.ts";

Deno.test("startErrorOf() converts the errors that an administrator can act on, and keeps their cause", () => {
  const errors = [
    new CertificateError("UNUSABLE", "certificate"),
    new TlsCredentialsError("cert", "credentials"),
    new PolicyError("policy"),
    new InvalidArgumentError("library"),
    new AddressError("IN_USE", "address"),
  ];
  for (const error of errors) {
    const converted = startErrorOf(error);
    assert.ok(converted instanceof StartError);
    assert.deepEqual([converted.code, converted.message, converted.cause], ["FAILED", error.message, error]);
  }
  const invalid = startErrorOf(new AddressError("INVALID", "address"));
  assert.equal(invalid?.code, "USAGE");
  const own = new StartError("own");
  assert.equal(startErrorOf(own), own);
});

Deno.test("startErrorOf() returns undefined for a defect", () => {
  for (const error of [new TypeError("x"), new Error("x"), "x", undefined]) {
    assert.equal(startErrorOf(error), undefined);
  }
});
