/** The exit codes of `teleportd`. */

/** An orderly end. */
export const EXIT_OK = 0;
/** The server cannot start, jobs that end with it could not be stopped, or the audit log is not whole. */
export const EXIT_FAILED = 1;
/** The command line or a variable of the environment is wrong. */
export const EXIT_USAGE = 2;
/** A defect in the server itself: EX_SOFTWARE of sysexits(3). */
export const EXIT_DEFECT = 70;
/** The reader of the standard output has left: 128 + SIGPIPE. */
export const EXIT_BROKEN_PIPE = 141;
