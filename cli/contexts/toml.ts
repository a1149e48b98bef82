/** Reads TOML strictly, with errors that name the line and the column but show nothing of the text. */
import { parse, TomlError } from "smol-toml";
import { JsonFormError } from "../../text/strict_json.ts";
import { SettingsError } from "./settings_error.ts";

/**
 * Parses a text and reads its values.
 *
 * @param path the file, for the error
 * @param read returns the result of the values, and throws `JsonFormError` for those that it refuses
 * @throws {SettingsError} when the text is not TOML, or `read` refuses it
 */
export function readToml<Result>(path: string, text: string, read: (values: unknown) => Result): Result {
  try {
    return read(parse(text.replace(/^\u{feff}/u, "")));
  } catch (cause) {
    if (cause instanceof JsonFormError) throw new SettingsError(`Cannot use "${path}": ${cause.message}`, { cause });
    if (!(cause instanceof TomlError)) throw cause;
    // The later lines of the message quote the text, which can have a private key.
    const [reason = ""] = cause.message.replace("Invalid TOML document: ", "").split("\n");
    const advice = reason.includes("redefine") ? ": keep one of the two" : "";
    throw new SettingsError(
      `Cannot read "${path}": line ${cause.line}, column ${cause.column}: ${reason.replace(/\.$/, "")}${advice}`,
    );
  }
}
