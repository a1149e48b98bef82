/** The modes of the files of a log. */
import assert from "node:assert/strict";
import { GROUP_MODES, OWNER_MODES } from "../../../base/file_modes.ts";
import { OutputLog } from "../../../worker/output/log.ts";
import { tempDir } from "../../support/temp_dir.ts";

const modeOf = (path: string) => Deno.statSync(path).mode! & 0o777;

Deno.test("OutputLog makes its files for their owner alone, or with the modes that it gets", async () => {
  await using dir = await tempDir();
  for (const [name, modes] of [["default", undefined], ["group", GROUP_MODES]] as const) {
    const directory = `${dir.path}/${name}`;
    const log = new OutputLog(name, { directory, ...(modes && { modes }) });
    await log.append("stdout", new TextEncoder().encode("hello\n"));
    await log.seal();
    const { directory: expected, file } = modes ?? OWNER_MODES;
    assert.equal(modeOf(directory), expected);
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => modeOf(`${directory}/${name}`)), [file]);
  }
});
