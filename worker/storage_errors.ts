/** The errors of the data directory: its database, and the output of jobs. */
import { writeAdvice } from "./write_advice.ts";
import { TeleportError } from "./errors.ts";

/** The output of a job cannot be read: its log is missing or damaged. */
export class OutputUnavailableError extends TeleportError {
  constructor(id: string, options?: ErrorOptions) {
    super(
      "OUTPUT_UNAVAILABLE",
      `Cannot read the output of job "${id}": its log is missing or damaged: restore it from a copy, or remove the job`,
      options,
    );
  }
}

/** The database is not as this library wrote it, for example because a disk fails. No data is served in its place. */
export class RecordDamagedError extends TeleportError {
  constructor(cause?: unknown) {
    super(
      "RECORD_DAMAGED",
      'The database "jobs.db" in the data directory is damaged or cannot be read: restore it from a copy',
      { cause },
    );
  }
}

/** Another process uses the directory. */
export class DirectoryInUseError extends TeleportError {
  constructor() {
    super(
      "DIRECTORY_IN_USE",
      "Another server uses the data directory: stop it, or give this one a directory of its own",
    );
  }
}

/** The database in the directory cannot be used. */
export class StoreUnusableError extends TeleportError {
  /** @param why the reason and what to do, such as `is damaged: put a copy in its place` */
  constructor(why: string, cause?: unknown) {
    super("STORE_UNUSABLE", `The database "jobs.db" in the data directory ${why}`, { cause });
  }
}

/** The change could not be written to the data directory, so it was not made. */
export class NotRecordedError extends TeleportError {
  constructor(options?: ErrorOptions) {
    super(
      "NOT_RECORDED",
      `The server cannot write to its data directory: ${writeAdvice(options?.cause)}, then try again`,
      options,
    );
  }
}
