/** Tests for page tokens: sealed with one secret for one purpose. */
import assert from "node:assert/strict";
import { PageTokenCodec } from "../../../worker/supervisor/page_token.ts";

const codec = new PageTokenCodec(new Uint8Array(32).fill(1));

Deno.test("open() returns the numbers that seal() sealed, and seal() never repeats a token", () => {
  const token = codec.seal([0, 1_795_520_790_460, 7], "list");
  assert.deepEqual(codec.open(token, "list"), [0, 1_795_520_790_460, 7]);
  assert.notEqual(codec.seal([0, 1_795_520_790_460, 7], "list"), token);
});

Deno.test("open() opens a token of an older server", () => {
  assert.deepEqual(codec.open("QniviHi5NgGspLGcrPyzv9Uo7YbZGsap-jPc3i3v_g", "events"), [4, 2]);
});

Deno.test("open() refuses tokens of another secret or purpose, changed tokens, and other texts", () => {
  const token = codec.seal([1], "list");
  assert.equal(new PageTokenCodec(new Uint8Array(32)).open(token, "list"), undefined);
  assert.equal(codec.open(token, "events"), undefined);
  const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.with(at, bytes[at]! ^ 1).toBase64({ alphabet: "base64url", omitPadding: true });
    assert.equal(codec.open(changed, "list"), undefined, `byte ${at}`);
  }
  for (const text of ["", "x", "?", token.slice(1), token.repeat(20)]) {
    assert.equal(codec.open(text, "list"), undefined, text);
  }
});
