/** Tests of the names of users and roles. */
import assert from "node:assert/strict";
import { checkRoles, checkUser } from "../../certs/names.ts";
import { refuses } from "../support/certs.ts";

for (const user of ["a", "ann", "ann@example.org", "Ann.B-c+d_e", "_build", "7", "a..b", "cable", "x".repeat(64)]) {
  Deno.test(`checkUser() accepts ${JSON.stringify(user)}`, () => {
    assert.equal(checkUser(user), user);
  });
}

const BAD_USERS = [
  "",
  ".",
  "..",
  ".hidden",
  "-rf",
  "a/b",
  "../ann",
  "a\\b",
  "a\0b",
  "a\nb",
  "ann\n",
  "a\x7fb",
  "a b",
  "a,O=admin",
  "a=b",
  '"a"',
  "jos\u00e9",
  "\u202eann",
  "x".repeat(65),
];
for (const user of BAD_USERS) {
  Deno.test(`checkUser() refuses ${JSON.stringify(user)}`, async () => {
    await refuses(() => checkUser(user), "INVALID_ARGUMENT", /^The user name must have 1 to 64 ASCII .*, got ".*"$/);
  });
}

for (const user of ["ca", "server", "CA", "Server"]) {
  Deno.test(`checkUser() refuses ${user}, which names other files`, async () => {
    await refuses(() => checkUser(user), "INVALID_ARGUMENT", /other files/);
  });
}

Deno.test("checkUser() does not repeat a name of a million characters", async () => {
  await refuses(() => checkUser("x".repeat(1_000_000)), "INVALID_ARGUMENT", /^.{1,300}$/);
});

Deno.test("checkRoles() keeps the order and removes duplicates", () => {
  assert.deepEqual(checkRoles(["viewer", "team:web", "viewer"]), ["viewer", "team:web"]);
});

for (const role of ["", "-x", ".x", "a/b", "a,b", "a b", "a\nb", "x".repeat(65)]) {
  Deno.test(`checkRoles() refuses ${JSON.stringify(role)}`, async () => {
    await refuses(() => checkRoles(["viewer", role]), "INVALID_ARGUMENT", /^The role must have 1 to 64 /);
  });
}

Deno.test("checkRoles() requires a role", async () => {
  await refuses(() => checkRoles([]), "INVALID_ARGUMENT", /it has no role/);
});

Deno.test("checkRoles() accepts 16 and refuses 17", async () => {
  const roles = Array.from({ length: 17 }, (_, index) => `role${index}`);
  assert.equal(checkRoles(roles.slice(1)).length, 16);
  await refuses(() => checkRoles(roles), "INVALID_ARGUMENT", /at most 16 roles, got 17/);
});
