/** The defaults of the server's own options. Other defaults belong to the library and to `rpc/server/`. */

/** The default of `--keep`, 30 days in milliseconds: long enough to examine a failure of last month. */
export const DEFAULT_KEEP_MS = 2_592_000_000;

/** The default of `--keep-jobs`. */
export const DEFAULT_KEEP_JOBS = 10_000;

/** The share of the free disk that jobs and output may use without `--max-output-total`. The rest is for the host. */
export const DEFAULT_DISK_SHARE = 0.5;

/** The address that a server without `--listen` and without a socket of the service manager listens on. */
export const DEFAULT_LISTEN = "127.0.0.1:50051";

/** The address for node hosts. They are on other machines. */
export const DEFAULT_NODE_LISTEN = "0.0.0.0:50052";

/** The directory on the nodes in which each host makes its own. */
export const DEFAULT_NODE_SPOOL = "/tmp";
