/** The directory and the output of the certificate tool, which every command uses. */
import { checkVariable } from "../text/decoded.ts";
import { escapeText, jsonLine } from "../text/unprintable.ts";
import { type TextFile, TextNotWrittenError, writeText } from "../text/write_text.ts";
import { defaultCertificateDirectory, type DirectoryVariable } from "../trust/default_directory.ts";
import { CertificateError } from "./errors.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";
import type { CommonFlags } from "./options.ts";
import { issuedJson, issuedText } from "./report.ts";

/** The environment of the program. */
export interface ToolEnvironment {
  readonly stdout: TextFile;
  readonly stderr: TextFile;
  /** Returns the value of an environment variable. */
  readonly readVariable: (name: DirectoryVariable) => string | undefined;
}

/** The shared part of all commands. */
export class Tool {
  readonly #environment: ToolEnvironment;

  constructor(environment: ToolEnvironment) {
    this.#environment = environment;
  }

  /**
   * Returns the certificate directory: `--dir`, or the default.
   *
   * @throws {CertificateError} `INVALID_ARGUMENT` when the option is empty, or no variable gives a default
   * @throws {NotUtf8Error} when the variable that decides is not UTF-8
   */
  directory({ dir }: CommonFlags): string {
    if (dir === "") throw new CertificateError("INVALID_ARGUMENT", "'--dir' must be a path, got \"\"");
    if (dir !== undefined) return dir;
    const { readVariable } = this.#environment;
    const found = defaultCertificateDirectory((name) => checkVariable(name, readVariable(name)));
    if (found !== undefined) return found;
    throw new CertificateError(
      "INVALID_ARGUMENT",
      "Cannot find the certificate directory: give --dir, or set TELEPORT_CERTS or HOME",
    );
  }

  /**
   * Writes a part of the result, and a line break.
   *
   * @throws {TextNotWrittenError} when not all of it can be written
   */
  print(text: string): void {
    writeText(this.#environment.stdout, escapeText(`${text}\n`));
  }

  /** Writes help to the standard output. */
  writeHelp(text: string): void {
    writeText(this.#environment.stdout, text);
  }

  /** Writes a sentence to the standard error. */
  note(sentence: string): void {
    this.writeNote(`certs: ${sentence}\n`);
  }

  /** Writes text to the standard error. A failure is ignored, because the work is done. */
  writeNote(text: string): void {
    try {
      writeText(this.#environment.stderr, escapeText(text));
    } catch (error) {
      if (!(error instanceof TextNotWrittenError)) throw error;
    }
  }

  /** Prints new certificates, as text or JSON. */
  printIssued(issued: readonly IssuedCertificate[], isJson: boolean): void {
    for (const one of issued) this.print(isJson ? jsonLine(issuedJson(one)) : issuedText(one));
  }
}
