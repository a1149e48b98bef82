/** The version of the command line: that of the project, which deno.json says. A test holds the two together. */

/** As `deno.json` has it. */
export const VERSION = "0.1.0";
