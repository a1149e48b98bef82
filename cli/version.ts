/** The version of the command line. A test compares it with the one in deno.json. */

/** The version, the same as in `deno.json`. */
export const VERSION = "0.1.0";
