/**
 * The size limits of the fields of requests, in one table. `request_check.ts` checks them before a request is decoded.
 */

/** The limits of one field. */
export interface FieldLimit {
  /** The most entries of a repeated field or a map. Absent for single fields. */
  readonly maxCount?: number;
  /** The most bytes of a string or of `bytes`, and of each key and value of a map. Absent for numbers and messages. */
  readonly maxBytes?: number;
}

/** The limits of one message, by field name. */
export type MessageLimits = Readonly<Record<string, FieldLimit>>;

/** Twice the size of arguments and environment that Linux and the library accept. */
const JOB_BYTES = 2 * 1024 * 1024;

/** Ids, prefixes and names. Below this size the library answers: not found, or too long. */
const ID: FieldLimit = { maxBytes: 16_384 };
/** Cursors and tokens that the server makes have less than 200 bytes. */
const TOKEN: FieldLimit = { maxBytes: 4_096 };
/** PATH_MAX of Linux is 4,096. The library names a longer path in its error, up to this size. */
const PATH: FieldLimit = { maxBytes: 16_384 };
/** The library accepts 64 labels of 256 characters, which have at most 1,024 bytes. */
const LABELS: FieldLimit = { maxCount: 256, maxBytes: 4_096 };
/** The enum has 9 states. */
const STATES: FieldLimit = { maxCount: 64 };
/** Linux accepts strings of 131,072 bytes. The library names a longer one, so only the request size limits them. */
const ARGUMENT_BYTES = JOB_BYTES;

/**
 * The limits of every string, `bytes`, repeated field and map of every request. A test fails for a missing field.
 *
 * These limits are above those of the library. So a value that is slightly too large gets the library's error with
 * INVALID_ARGUMENT. A value above a limit here gets RESOURCE_EXHAUSTED and is not decoded.
 */
export const FIELD_LIMITS: Readonly<Record<string, MessageLimits>> = {
  JobRequest: {
    command: PATH,
    // The library accepts 65,536 arguments and variables together.
    args: { maxCount: 66_000, maxBytes: ARGUMENT_BYTES },
    // 65,536 variables took 470 ms of the event loop; 8,192 take 40 ms.
    env: { maxCount: 8_192, maxBytes: ARGUMENT_BYTES },
    cwd: PATH,
    labels: LABELS,
    request_id: ID,
    name: ID,
    like: ID,
    rerun: ID,
    user: ID,
    group: ID,
    engine: ID,
    partition: ID,
    node_constraint: ID,
    template: ID,
    // A template has at most 32 parameters of 1,024 characters.
    parameters: { maxCount: 256, maxBytes: 16_384 },
  },
  CgroupLimits: { io_path: PATH },
  StartRequest: { id: ID },
  StatusStreamRequest: { id: ID },
  StatusRequest: { id: ID },
  StopRequest: { id: ID },
  PauseRequest: { id: ID },
  ResumeRequest: { id: ID },
  ResizeRequest: { id: ID },
  GetOutputRequest: { id: ID, cursor: TOKEN, grep: { maxBytes: 16_384 } },
  SignalRequest: { id: ID, signal: ID },
  // The library accepts chunks of 262,144 bytes.
  InputRequest: { id: ID, writer: ID, data: { maxBytes: 294_912 } },
  ListRequest: {
    states: STATES,
    owner: ID,
    labels: LABELS,
    page_token: TOKEN,
    command: { maxBytes: 8_192 },
    name: ID,
    id_prefix: ID,
  },
  RemoveRequest: { id: ID },
  WatchJobsRequest: {
    states: STATES,
    owner: ID,
    labels: LABELS,
    command: { maxBytes: 8_192 },
    // The library accepts 1,000 ids.
    ids: { maxCount: 2_000, maxBytes: 1_024 },
    token: TOKEN,
  },
  CanIRequest: { call: ID, id: ID },
};

/** The most bytes of one message, by type. Other types have {@linkcode DEFAULT_MESSAGE_BYTES}. */
const MESSAGE_BYTES: Readonly<Record<string, number>> = {
  JobRequest: JOB_BYTES,
  CanIRequest: JOB_BYTES + 4_096,
  InputRequest: 300 * 1024,
  WatchJobsRequest: 256 * 1024,
  ListRequest: 256 * 1024,
};

/** Far above the size of an id and a few numbers. */
const DEFAULT_MESSAGE_BYTES = 64 * 1024;

/** Returns the most bytes of a message, given the short name of its type. */
export function maxMessageBytes(type: string): number {
  return MESSAGE_BYTES[type] ?? DEFAULT_MESSAGE_BYTES;
}

/** A single field that is sent again replaces the earlier value (protobuf). No client does so more often. */
export const MAX_REPEATS_OF_SINGLE_FIELD = 16;

/** The most fields of newer definitions in one message. They are ignored. */
export const MAX_UNKNOWN_FIELDS = 256;
/** The most bytes of such fields in one message. */
export const MAX_UNKNOWN_BYTES = 65_536;
