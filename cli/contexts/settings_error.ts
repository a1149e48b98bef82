/** The error of the files that set up the client: the file of contexts, and bundles. */

/** A file that sets up the client cannot be used. The message names the file and says what to do. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}
