/** How large each field of a request may be: one table, checked before a request is decoded. */

/** The limits of one field. */
export interface FieldLimit {
  /** Entries of a repeated field or a map. Absent for single fields. */
  readonly maxCount?: number;
  /** Bytes of a string or of `bytes`; of a map, of each key and each value. Absent for numbers and messages. */
  readonly maxBytes?: number;
}

/** The limits of one message, by the names of its fields. */
export type MessageLimits = Readonly<Record<string, FieldLimit>>;

/** Twice what Linux and the library take of arguments and environment together. */
const JOB_BYTES = 2 * 1024 * 1024;

/** Ids, prefixes and names. Too long ones are not found, or named by the library, up to this. */
const ID: FieldLimit = { maxBytes: 16_384 };
/** Cursors and tokens of the server have less than 200 bytes. */
const TOKEN: FieldLimit = { maxBytes: 4_096 };
/** Linux: PATH_MAX is 4,096. Longer paths reach the library, which names them, up to this. */
const PATH: FieldLimit = { maxBytes: 16_384 };
/** The library takes 64 labels of 256 characters, which have at most 1,024 bytes. */
const LABELS: FieldLimit = { maxCount: 256, maxBytes: 4_096 };
/** There are 9 states. */
const STATES: FieldLimit = { maxCount: 64 };
/** Linux takes strings of 131,072 bytes. The library names a longer one, so only the size of the request bounds them. */
const ARGUMENT_BYTES = JOB_BYTES;

/**
 * Every string, `bytes`, repeated field and map of every request. A field that is missing here fails a test.
 *
 * The limits lie above those of the library, so that a value that is slightly too large gets the library's sentence and
 * INVALID_ARGUMENT. What exceeds a limit here gets RESOURCE_EXHAUSTED and costs no decoding.
 */
export const FIELD_LIMITS: Readonly<Record<string, MessageLimits>> = {
  JobRequest: {
    command: PATH,
    // The library takes 65,536 arguments and variables together.
    args: { maxCount: 66_000, maxBytes: ARGUMENT_BYTES },
    // 65,536 variables took 470 ms of the event loop, this many take 40.
    env: { maxCount: 8_192, maxBytes: ARGUMENT_BYTES },
    cwd: PATH,
    labels: LABELS,
    request_id: ID,
    user: ID,
    group: ID,
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
  GetOutputRequest: { id: ID, cursor: TOKEN },
  SignalRequest: { id: ID, signal: ID },
  // The library takes pieces of 262,144 bytes.
  InputRequest: { id: ID, writer: ID, data: { maxBytes: 294_912 } },
  ListRequest: { states: STATES, owner: ID, labels: LABELS, page_token: TOKEN, command: { maxBytes: 8_192 } },
  RemoveRequest: { id: ID },
  WatchJobsRequest: {
    states: STATES,
    owner: ID,
    labels: LABELS,
    command: { maxBytes: 8_192 },
    // The library takes 1,000.
    ids: { maxCount: 2_000, maxBytes: 1_024 },
    token: TOKEN,
  },
  CanIRequest: { call: ID, id: ID },
};

/** Bytes of one message of a request; all others have {@linkcode DEFAULT_MESSAGE_BYTES}. */
const MESSAGE_BYTES: Readonly<Record<string, number>> = {
  JobRequest: JOB_BYTES,
  CanIRequest: JOB_BYTES + 4_096,
  InputRequest: 300 * 1024,
  WatchJobsRequest: 256 * 1024,
  ListRequest: 256 * 1024,
};

/** Far above what an id and a few numbers take. */
const DEFAULT_MESSAGE_BYTES = 64 * 1024;

/** Bytes of a message of this type, by its short name. */
export function maxMessageBytes(type: string): number {
  return MESSAGE_BYTES[type] ?? DEFAULT_MESSAGE_BYTES;
}

/** A single field that is sent again replaces what was sent before (protobuf): no client does so more often. */
export const MAX_REPEATS_OF_SINGLE_FIELD = 16;

/** Fields of later definitions are ignored, up to this. */
export const MAX_UNKNOWN_FIELDS = 256;
export const MAX_UNKNOWN_BYTES = 65_536;
