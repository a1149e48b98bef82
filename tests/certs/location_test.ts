/** Where the certificates are by default. */
import assert from "node:assert/strict";
import { defaultDirectory } from "../../certs/location.ts";
import { refuses } from "../support/certs.ts";

for (
  const [variables, expected] of [
    [{ TELEPORT_CERTS: "certs", XDG_CONFIG_HOME: "/x", HOME: "/h" }, "certs"],
    [{ XDG_CONFIG_HOME: "/x", HOME: "/h" }, "/x/teleport"],
    [{ HOME: "/h" }, "/h/.config/teleport"],
    [{ TELEPORT_CERTS: "", XDG_CONFIG_HOME: "", HOME: "/h" }, "/h/.config/teleport"],
    [{ XDG_CONFIG_HOME: "relative", HOME: "/h" }, "/h/.config/teleport"],
  ] as const
) {
  Deno.test(`defaultDirectory() with ${JSON.stringify(variables)} is ${expected}`, () => {
    assert.equal(defaultDirectory(variables), expected);
  });
}

Deno.test("defaultDirectory() refuses to guess", async () => {
  await refuses(() => defaultDirectory({ HOME: "" }), "INVALID_ARGUMENT", /set TELEPORT_CERTS or HOME/);
});
