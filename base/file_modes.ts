/** The modes of the files that a job host makes. */

/** The modes decide which users besides the owner may use the files. */
export interface FileModes {
  readonly directory: number;
  readonly file: number;
  readonly socket: number;
}

/** For the owner alone: output may hold secrets. */
export const OWNER_MODES: FileModes = { directory: 0o700, file: 0o600, socket: 0o600 };

/** The group may read files and use the socket. The server is in the group and is another user. */
export const GROUP_MODES: FileModes = { directory: 0o750, file: 0o640, socket: 0o660 };
