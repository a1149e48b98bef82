/** The two shell scripts of a copy. One runs on this machine and the other one as a job, in either direction. */
import receive from "./receive.sh" with { type: "text" };
import send from "./send.sh" with { type: "text" };

/** The kind of what is copied. */
export type CopyKind = "file" | "directory";

/** Returns the arguments of sh(1) that write a file or directory to stdout. */
export function sendArgs(path: string): string[] {
  return ["-c", send, "sh", path];
}

/** The task of a receiver. */
export interface Reception {
  readonly kind: CopyKind;
  /** The path, which may be an existing directory. */
  readonly destination: string;
  /** The name in that directory. */
  readonly name: string;
  /** The minutes without progress after which the copy ends. 0: no end. */
  readonly idleMinutes: number;
}

/** Returns the arguments of sh(1) that unpack stdin. */
export function receiveArgs({ kind, destination, name, idleMinutes }: Reception): string[] {
  return ["-c", receive, "sh", kind, destination, name, String(idleMinutes)];
}

/** The signal that confirms a copy to its receiver. */
export const CONFIRMATION = "SIGUSR1";

/** The first line of the sender's output. */
export interface CopyHeader {
  readonly kind: CopyKind;
  /** About the number of bytes that follow. */
  readonly bytes: number;
}

/** The most bytes of the first line. */
const MAX_HEADER_BYTES = 64;

/** Splits the first line off the sender's output. */
export class HeaderParser {
  #kept = new Uint8Array();

  /**
   * Takes the next bytes.
   *
   * @returns the header and the bytes after it; undefined before its end
   * @throws {Error} when they are not such a line
   */
  take(data: Uint8Array): { readonly header: CopyHeader; readonly rest: Uint8Array } | undefined {
    const all = new Uint8Array([...this.#kept, ...data.subarray(0, MAX_HEADER_BYTES)]);
    const end = all.indexOf(10);
    if (end < 0 && all.length < MAX_HEADER_BYTES) {
      this.#kept = all;
      return undefined;
    }
    const line = new TextDecoder().decode(all.subarray(0, Math.max(end, 0)));
    const match = /^teleport-cp (file|directory) (\d{1,15})$/.exec(line);
    if (match === null) {
      throw new Error("The sender of the copy wrote something else: a program may print at each login");
    }
    const header = { kind: match[1] as CopyKind, bytes: Number(match[2]) };
    return { header, rest: data.subarray(end + 1 - this.#kept.length) };
  }
}

/**
 * Returns the name that a copy of the path gets in an existing directory. It is `.` for paths such as `.` and `dir/.`,
 * whose contents are copied into the directory itself.
 */
export function nameOf(path: string): string {
  const last = /([^/]*)\/*$/.exec(path)?.[1] ?? "";
  return last === "" || last === ".." ? "." : last;
}
