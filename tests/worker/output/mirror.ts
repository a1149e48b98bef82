/** Mirrors a log that this process writes, as a supervisor mirrors the log that a job host writes. */
import type { OutputLog } from "../../../worker/output/log.ts";
import { MirrorLog, type MirrorSource } from "../../../worker/output/mirror_log.ts";

/** A mirror of a log. */
export interface Mirror {
  readonly log: MirrorLog;
  /** Returns true while the writer reports growth. */
  readonly watched: () => boolean;
  /** Resolves when the mirror is sealed. */
  readonly sealed: Promise<void>;
}

/** Returns a mirror of a log that gets reports of its growth while somebody reads it. */
export function mirrorOf(writer: OutputLog, directory: string): Mirror {
  let isWatched = false;
  const source: MirrorSource = {
    watch: () => {
      isWatched = true;
      const { start, isSealed } = writer;
      return Promise.resolve(isSealed ? undefined : { start, ...writer.summary() });
    },
    unwatch: () => isWatched = false,
  };
  const log = new MirrorLog(writer.id, { directory, isSegmented: true }, source);
  const report = async () => {
    while (!writer.isSealed) {
      await writer.waitForGrowth(writer.end.position, new AbortController().signal);
      if (isWatched) log.advance(writer);
    }
    log.seal(writer.summary());
  };
  return { log, watched: () => isWatched, sealed: report() };
}
