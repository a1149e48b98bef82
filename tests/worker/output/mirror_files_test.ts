/** Tests of the files of a log that another process writes: before the first one exists, and when they are deleted. */
import assert from "node:assert/strict";
import { type OutputSelection, readOutput } from "../../../worker/output/follow.ts";
import { MirrorLog } from "../../../worker/output/mirror_log.ts";
import { never, openUnder, withLog } from "./fixture.ts";
import { mirrorOf } from "./mirror.ts";

Deno.test(
  "MirrorLog has no output since a time, and no last lines, before the first byte",
  withLog(async (writer, directory) => {
    const { log, sealed } = mirrorOf(writer, directory);
    const read = async (selection: OutputSelection) => {
      const chunks = await Array.fromAsync(readOutput(log, selection, () => log.end, never, () => {}));
      return chunks.length;
    };
    for (const selection of [{ since: new Date(0) }, { until: new Date() }, { tailLines: 1 }, { tailBytes: 1 }]) {
      assert.equal(await read({ ...selection, follow: false }), 0, JSON.stringify(selection));
    }
    await writer.seal();
    await sealed;
    assert.equal(openUnder(directory), 0);
  }),
);

Deno.test(
  "MirrorLog takes a file as dropped that the writer has deleted before it reports that",
  withLog(async (writer, directory) => {
    const fill = async (count: number) => {
      for (let index = 0; index < count; index++) await writer.append("stdout", new Uint8Array(400));
      await writer.flushed();
    };
    await fill(3);
    const log = new MirrorLog(writer.id, { directory, isSegmented: true }, {
      watch: () => Promise.resolve({ start: writer.start, ...writer.summary() }),
      unwatch: () => {},
    });
    await log.retain(never);
    const { position } = log.start;
    await fill(50);
    assert.ok(writer.start.position > log.end.position, "the files that were listed are deleted");
    assert.equal(await log.reader.read(log.start, log.end.position, false), undefined);
    assert.ok(log.reader.start.position > position);
    await log.release();
    await writer.seal();
  }, { limit: { maxBytes: 2_000, policy: "KEEP_NEWEST" } }),
);
