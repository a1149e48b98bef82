/** Tests of teleportd/job_path.ts. */
import assert from "node:assert/strict";
import { jobPath } from "../../teleportd/job_path.ts";

const paths: [string, string | undefined, string | undefined][] = [
  ["a plain one as it is", "/usr/local/bin:/usr/bin", "/usr/local/bin:/usr/bin"],
  [
    "npx's without its folders",
    "/root/.npm/_npx/7a40/node_modules/.bin:/srv/node_modules/.bin:/node_modules/.bin:" +
    "/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/opt/go/bin:/usr/bin",
    "/opt/go/bin:/usr/bin",
  ],
  ["one without relative folders and the current one", ".:bin::/bin:", "/bin"],
  ["none where nothing is left", "/a/node_modules/.bin:.", undefined],
  ["none of none", undefined, undefined],
  ["none of an empty one", "", undefined],
];
for (const [what, path, wanted] of paths) {
  Deno.test(`jobPath() gives ${what}`, () => assert.equal(jobPath(path), wanted));
}
