/** Follows the modes that a program sets on the screen, so that they can be reset when the program is left. */

/** The private modes that are followed, and those of them that are normally on. */
const MODES = new Set([1, 5, 6, 7, 9, 25, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004, 2026]);
const NORMALLY_ON = new Set([7, 25]);
const ALTERNATE_SCREENS: readonly number[] = [1049, 1047, 47];

/** The longest control sequence that is read. Longer ones set no mode that is followed. */
const MAX_SEQUENCE = 64;

const ESC = 0x1b;
type State = "text" | "escape" | "charset" | "sequence" | "string" | "string escape";

/** The modes of a screen, from the bytes that were written to it. Sequences may be cut anywhere. */
export class ScreenModes {
  /** The private modes that differ from the normal. */
  readonly #changed = new Set<number>();
  /** The sequences that reset further settings, by their names. */
  readonly #resets = new Map<string, string>();
  #keyboardLevels = 0;
  #state: State = "text";
  #sequence = "";

  /** True while a full-screen program shows the alternate screen. */
  get isAlternate(): boolean {
    return ALTERNATE_SCREENS.some((mode) => this.#changed.has(mode));
  }

  /** Reads the bytes that were written to the screen. */
  read(data: Uint8Array): void {
    for (let at = 0; at < data.length; at++) {
      if (this.#state === "text") {
        // Most output is text, so the next sequence is looked for at once.
        const next = data.indexOf(ESC, at);
        if (next === -1) return;
        at = next;
        this.#state = "escape";
      } else this.#step(data[at]!);
    }
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "escape":
        return this.#escape(byte);
      case "charset":
        this.#state = "text";
        return this.#set("charset", byte === 0x42 ? undefined : "\x1b(B");
      case "sequence":
        if (byte === ESC) this.#state = "escape";
        else if (byte >= 0x40 && byte <= 0x7e) {
          this.#state = "text";
          if (this.#sequence.length < MAX_SEQUENCE) this.#control(this.#sequence, String.fromCharCode(byte));
        } else if (byte >= 0x20 && this.#sequence.length < MAX_SEQUENCE) this.#sequence += String.fromCharCode(byte);
        return;
      case "string":
        if (byte === 0x07 || byte === 0x18 || byte === 0x1a) this.#state = "text";
        else if (byte === ESC) this.#state = "string escape";
        return;
      case "string escape":
        if (byte === 0x5c) this.#state = "text";
        else this.#escape(byte);
        return;
      case "text":
    }
  }

  #escape(byte: number): void {
    this.#state = "text";
    switch (String.fromCharCode(byte)) {
      case "[":
        this.#state = "sequence";
        this.#sequence = "";
        break;
      case "]":
      case "P":
      case "X":
      case "^":
      case "_":
        this.#state = "string";
        break;
      case "\x1b":
        this.#state = "escape";
        break;
      case "(":
        this.#state = "charset";
        break;
      case "=":
        this.#set("keypad", "\x1b>");
        break;
      case ">":
        this.#set("keypad", undefined);
        break;
      case "c":
        this.#clear();
    }
  }

  #control(parameters: string, final: string): void {
    const privateModes = /^\?([\d;]+)$/.exec(parameters)?.[1];
    if (privateModes !== undefined && (final === "h" || final === "l")) {
      for (const mode of privateModes.split(";").map(Number)) this.#setMode(mode, final === "h");
    } else if (final === "m" && !/^[?<=>]/.test(parameters)) {
      this.#set("style", /(^|;)0*$/.test(parameters) ? undefined : "\x1b[m");
    } else if (final === "m" && parameters.startsWith(">4")) {
      this.#set("keys", /^>4(;0?)?$/.test(parameters) ? undefined : "\x1b[>4m");
    } else if (final === "u" && parameters.startsWith(">")) {
      this.#keyboardLevels = Math.min(this.#keyboardLevels + 1, 99);
    } else if (final === "u" && parameters.startsWith("<")) {
      this.#keyboardLevels = Math.max(0, this.#keyboardLevels - Number(parameters.slice(1) || 1));
    } else if (final === "r" && /^[\d;]*$/.test(parameters)) {
      // The reset of the region moves the cursor.
      this.#set("region", parameters === "" ? undefined : "\x1b7\x1b[r\x1b8");
    } else if (parameters === "4" && (final === "h" || final === "l")) {
      this.#set("insert", final === "h" ? "\x1b[4l" : undefined);
    } else if (final === "q" && parameters.endsWith(" ")) {
      this.#set("cursor", /^0? $/.test(parameters) ? undefined : "\x1b[0 q");
    }
  }

  #setMode(mode: number, isOn: boolean): void {
    if (!MODES.has(mode)) return;
    if (isOn === NORMALLY_ON.has(mode)) this.#changed.delete(mode);
    else this.#changed.add(mode);
  }

  #set(name: string, reset: string | undefined): void {
    if (reset === undefined) this.#resets.delete(name);
    else this.#resets.set(name, reset);
  }

  #clear(): void {
    this.#changed.clear();
    this.#resets.clear();
    this.#keyboardLevels = 0;
  }

  /** Returns the sequences that set the private modes of now on another screen, the alternate screen first. */
  enterText(): string {
    const modes = [...this.#changed].sort((one, other) =>
      Number(ALTERNATE_SCREENS.includes(other)) - Number(ALTERNATE_SCREENS.includes(one))
    );
    return modes.map((mode) => `\x1b[?${mode}${NORMALLY_ON.has(mode) ? "l" : "h"}`).join("");
  }

  /** Returns the sequences that make the screen normal. Empty when it is. */
  resetText(): string {
    const isAlternate = (mode: number) => ALTERNATE_SCREENS.includes(mode);
    const reset = (mode: number) => `\x1b[?${mode}${NORMALLY_ON.has(mode) ? "h" : "l"}`;
    const modes = [...this.#changed];
    return [
      ...this.#resets.values(),
      ...(this.#keyboardLevels > 0 ? [`\x1b[<${this.#keyboardLevels}u`] : []),
      ...modes.filter((mode) => !isAlternate(mode)).map(reset),
      // Last, because it restores the cursor and shows the screen before.
      ...modes.filter(isAlternate).map(reset),
    ].join("");
  }
}
