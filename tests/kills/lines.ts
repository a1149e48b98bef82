/** Checks numbered lines, as the jobs of these tests write them: nothing may be missing, doubled or changed. */

/** A check that text is passed to as it arrives. */
export class LineCheck {
  readonly #what: string;
  #rest = "";
  /** The number of the next line. Undefined: any number, because output was dropped before it. */
  #next: number | undefined = 1;
  #isPartial = false;
  #end: string | undefined;

  /** @param what the owner of the lines, for the error text */
  constructor(what: string) {
    this.#what = what;
  }

  /** The number of the last complete line. */
  get last(): number {
    return (this.#next ?? 1) - 1;
  }

  /** The line with which the job said goodbye. Undefined: none yet. */
  get end(): string | undefined {
    return this.#end;
  }

  /** Takes the next text. */
  receive(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#check(line);
  }

  /** Notes that an output limit has dropped output here, so that the next line may be any, and is not complete. */
  dropped(): void {
    this.#rest = "";
    this.#next = undefined;
    this.#isPartial = true;
  }

  /** Checks that the text ended with a complete goodbye. */
  finish(): void {
    if (this.#end === undefined || this.#rest !== "") {
      throw new Error(`${this.#what}: the output ends after line ${this.last} without "end"`);
    }
  }

  #check(line: string): void {
    if (this.#isPartial) {
      this.#isPartial = false;
      return;
    }
    if (this.#end !== undefined) throw new Error(`${this.#what}: ${JSON.stringify(line)} follows the end`);
    const [word, text] = line.split(" ");
    const number = Number(text);
    const isLine = word === "line" || word === "end";
    if (!isLine || line !== `${word} ${number}`) {
      throw new Error(`${this.#what}: ${JSON.stringify(line)} is not a line of the job, after line ${this.last}`);
    }
    if (word === "end") {
      if (this.#next !== undefined && number !== this.last) {
        throw new Error(`${this.#what}: the job ended after line ${number}, and line ${this.last} is the last here`);
      }
      this.#end = line;
      return;
    }
    if (this.#next !== undefined && number !== this.#next) {
      throw new Error(`${this.#what}: line ${number} follows line ${this.last}`);
    }
    this.#next = number + 1;
  }
}
