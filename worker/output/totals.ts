/** The totals of a job's output: what a client compares its copy with. */

/** The sizes and digests of all output of a job. */
export interface OutputTotals {
  /** Bytes that the job wrote to stdout, including dropped bytes. */
  readonly stdoutBytes: number;
  /** Bytes that the job wrote to stderr, including dropped bytes. */
  readonly stderrBytes: number;
  /** Bytes that are not in the log, because of a limit or a failed write. */
  readonly droppedBytes: number;
  /** SHA-256 of stdout from its first byte. Empty when a crash left it unknown. */
  readonly stdoutSha256: Uint8Array;
  /** SHA-256 of stderr from its first byte. Empty when a crash left it unknown. */
  readonly stderrSha256: Uint8Array;
}
