/**
 * Starts programs in sessions of their own by setsid(1), which makes a session and then becomes the program.
 *
 * `Deno.Command` with `detached` copies the page tables of this process for each start. Without it, posix_spawn(3) copies
 * nothing. The program then begins with the signals 32 and 33 ignored. The C libraries keep these for themselves, and set
 * their own handlers before they use them.
 *
 * setsid(1) begins a message with the name by which it was started. So each start has a link of its own, and the name of
 * the link is a secret. No program can print a message that looks like a failed start.
 */
import { readProcFile } from "./host.ts";
import { findProgram } from "./program.ts";
import { LAUNCHER_PATH } from "./script.ts";
import { newSecret } from "./secret.ts";

/** A program that no system has. The probe fails to start it. */
const MISSING = "/nonexistent/teleport";

/** The variables that make setsid(1) itself do something else: ld.so(8), locale(7), gettext(3). */
const AFFECTING = /^(LD_|GLIBC_|MALLOC_|GCONV_PATH$|LOCPATH$|NLSPATH$|LANGUAGE$)/;

/** The variables that choose the language of its messages, and the beginnings of their values for English. */
const LANGUAGES = ["LC_ALL", "LC_MESSAGES", "LANG"];
const ENGLISH = /^($|C$|C\.|POSIX$|en_)/;

/** The name of the link between two starts. To rename it takes a seventh of the time to make and remove it. */
const IDLE = "setsid";

/** The link of one start. */
export interface SessionLink extends Disposable {
  readonly path: string;
  /** Its name, with which setsid(1) begins each message. */
  readonly secret: string;
}

/** Starts programs by setsid(1). */
export class SessionStarter {
  readonly #directory: string;
  /** The path of the link now. */
  #path: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#path = `${directory}/${IDLE}`;
  }

  /**
   * Tries setsid(1).
   *
   * @param directory the directory of the link, which only this user can change
   * @param isOnTerminal true if this process has a controlling terminal. Default: what the kernel says
   * @returns undefined if the system has no setsid(1) of util-linux, or the directory no link. Undefined on a terminal too:
   * its signals would reach a program that has no session yet
   */
  static async open(directory: string, isOnTerminal: boolean = hasTerminal()): Promise<SessionStarter | undefined> {
    const setsid = findProgram("setsid", "/", LAUNCHER_PATH);
    if (typeof setsid !== "string" || isOnTerminal) return undefined;
    const starter = new SessionStarter(directory);
    const env = { LC_ALL: "C" };
    try {
      makeLink(setsid, starter.#path);
      const output = { stdin: "null", stdout: "null", stderr: "piped" } as const;
      const spawn = (path: string) =>
        new Deno.Command(path, { args: [MISSING], env, clearEnv: true, ...output }).spawn();
      const [child, secret] = starter.#probe(env, spawn);
      const message = new TextDecoder().decode((await child.output()).stderr);
      return message === `${secret}: failed to execute ${MISSING}: No such file or directory\n` ? starter : undefined;
    } catch {
      return undefined;
    }
  }

  #probe<Child>(env: Readonly<Record<string, string>>, spawn: (path: string) => Child): [Child, string] {
    using link = this.link(env);
    if (link === undefined) throw new Error("The link cannot be renamed");
    return [spawn(link.path), link.secret];
  }

  /**
   * Gives the link a secret name for one start. The caller disposes of it when setsid(1) runs, before any other start.
   * A program could read a name that stays.
   *
   * @param env the environment of setsid(1)
   * @returns undefined if the link cannot be renamed, or if the environment would change what setsid(1) does
   */
  link(env: Readonly<Record<string, string>>): SessionLink | undefined {
    if (LANGUAGES.some((name) => !ENGLISH.test(env[name] ?? ""))) return undefined;
    if (Object.keys(env).some((name) => AFFECTING.test(name))) return undefined;
    const secret = newSecret();
    const path = `${this.#directory}/${secret}`;
    return this.#rename(secret) ? { path, secret, [Symbol.dispose]: () => void this.#rename(IDLE) } : undefined;
  }

  /** Renames the link. Returns false if the disk refuses it, or the link was removed. */
  #rename(name: string): boolean {
    const path = `${this.#directory}/${name}`;
    try {
      Deno.renameSync(this.#path, path);
      this.#path = path;
      return true;
    } catch {
      return false;
    }
  }
}

function makeLink(target: string, path: string): void {
  try {
    Deno.symlinkSync(target, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Returns true if this process has a controlling terminal: proc_pid_stat(5). */
function hasTerminal(): boolean {
  const stat = readProcFile("/proc/self/stat");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[4] !== "0";
}
