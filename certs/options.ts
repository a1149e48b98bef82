/** The options that several commands of the certificate tool share. */
import type { Command } from "commander";
import { oneLine } from "../text/unprintable.ts";
import { CertificateError } from "./errors.ts";
import { type KeyKind, parseKeyKind } from "./key_kind.ts";
import { MAX_DAYS } from "./lifetime.ts";

/** The options of every command. */
export interface CommonFlags {
  readonly dir?: string;
  readonly output?: string;
}

/** The options of a command that issues certificates. */
export interface IssueFlags extends CommonFlags {
  readonly days?: string;
  readonly algorithm?: string;
}

/** Adds a command with the options of every command. */
export function addCommand(program: Command, name: string, description: string): Command {
  return program.command(name)
    .description(description)
    .usage("[OPTIONS]")
    .allowExcessArguments(false)
    .hook("preAction", (_, command) => void isJson(command.opts<CommonFlags>()))
    .option("--dir <dir>", "the certificate directory (default: $TELEPORT_CERTS, or teleport in ~/.config)")
    .option("--output <format>", "text, or json for one object per line");
}

/** The arguments of `option()` for `--host`. */
export const HOST_OPTION = [
  "--host <host>",
  "a name or IP address of the server, in addition to localhost and the name of this machine; may be repeated",
  collect,
] as const;

/** Returns the arguments of `option()` for `--days`, with the default in words. */
export function daysOption(defaultDays: string, of = ""): readonly [string, string] {
  return ["--days <number>", `days of validity${of}, 1 to ${MAX_DAYS} (default: ${defaultDays})`];
}

/** The arguments of `option()` for `--algorithm`. */
export const ALGORITHM_OPTION = ["--algorithm <kind>", "the kind of key: p256 or ed25519 (default: p256)"] as const;

/** The arguments of `option()` for `--force`. */
export const FORCE_OPTION = ["--force", "replace the existing certificate"] as const;

/** Collects the values of a repeated option. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

/**
 * Returns the number of days.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when it is not an integer
 */
export function parseDays({ days }: IssueFlags): number | undefined {
  if (days === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(days)) return Number(days);
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `'--days' must be an integer from 1 to ${MAX_DAYS}, got ${JSON.stringify(days)}`,
  );
}

/** Returns the kind of key. Undefined for the default. */
export function keyKindOf({ algorithm }: IssueFlags): KeyKind | undefined {
  return algorithm === undefined ? undefined : parseKeyKind(algorithm);
}

/** Returns true when the output is JSON. */
export function isJson({ output = "text" }: CommonFlags): boolean {
  if (output === "text" || output === "json") return output === "json";
  throw new CertificateError("INVALID_ARGUMENT", `'--output' must be "text" or "json", got ${JSON.stringify(output)}`);
}

/**
 * Reads the file of an option.
 *
 * @returns undefined without a path
 * @throws {CertificateError} `NOT_ACCESSIBLE` when the file cannot be read
 */
export async function readOptionFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "it does not exist" : oneLine(cause);
    throw new CertificateError("NOT_ACCESSIBLE", `Cannot read "${path}": ${reason}; give the path of a file in PEM`, {
      cause,
    });
  }
}
