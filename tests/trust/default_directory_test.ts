/** Tests of the default certificate directory. */
import assert from "node:assert/strict";
import { defaultCertificateDirectory, type DirectoryVariable } from "../../trust/default_directory.ts";

const cases: readonly (readonly [Partial<Record<DirectoryVariable, string>>, string | undefined])[] = [
  [{ TELEPORT_CERTS: "certs", XDG_CONFIG_HOME: "/x", HOME: "/h" }, "certs"],
  [{ XDG_CONFIG_HOME: "/x", HOME: "/h" }, "/x/teleport"],
  [{ HOME: "/h" }, "/h/.config/teleport"],
  [{ TELEPORT_CERTS: "", XDG_CONFIG_HOME: "", HOME: "/h" }, "/h/.config/teleport"],
  [{ XDG_CONFIG_HOME: "relative", HOME: "/h" }, "/h/.config/teleport"],
  [{ HOME: "" }, undefined],
  [{}, undefined],
];

for (const [variables, expected] of cases) {
  Deno.test(`defaultCertificateDirectory() finds ${expected} for ${JSON.stringify(variables)}`, () => {
    assert.equal(defaultCertificateDirectory((name) => variables[name]), expected);
  });
}

Deno.test("defaultCertificateDirectory() asks for no variable after the one that decides", () => {
  const asked: string[] = [];
  defaultCertificateDirectory((name) => {
    asked.push(name);
    return "/a";
  });
  assert.deepEqual(asked, ["TELEPORT_CERTS"]);
});
