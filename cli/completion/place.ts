/** Finds what the last word of an unfinished command line can be: an option, a command, or a value of some kind. */
import type { Command, Option } from "commander";

/** The place of the last word. */
export type Place =
  | { readonly kind: "commands"; readonly command: Command }
  | { readonly kind: "options"; readonly commands: readonly Command[] }
  | { readonly kind: "value"; readonly value: string; readonly command: Command; readonly option?: Option }
  | { readonly kind: "nothing" };

/** An unfinished command line. */
export interface Line {
  readonly place: Place;
  /** The text that the candidates begin with. */
  readonly current: string;
  /** The text of the last word before the value, such as `--state=`. */
  readonly before: string;
  /** The values of the options before the last word, by attribute name. */
  readonly given: Readonly<Record<string, string>>;
}

/**
 * Reads an unfinished command line.
 *
 * @param program the program, with the options of the commands in the line
 * @param typed the words after the program's name. The last one is unfinished, and may be empty
 */
export function readLine(program: Command, typed: readonly string[]): Line {
  const words = joinAssignments(typed);
  const last = words.pop() ?? "";
  const reader = new Reader(program);
  for (const word of words) reader.take(word);
  const at = last.startsWith("--") && !reader.isOperandsOnly ? last.indexOf("=") : -1;
  const named = at < 0 ? undefined : reader.find(last.slice(0, at));
  const option = reader.pending ?? named;
  const before = reader.pending === undefined && named !== undefined ? last.slice(0, at + 1) : "";
  const line = { current: last.slice(before.length), before, given: reader.given };
  if (option !== undefined) return { ...line, place: valueOf(option, reader.command) };
  if (last.startsWith("-") && !reader.isOperandsOnly) {
    return { ...line, place: { kind: "options", commands: reader.commands } };
  }
  return { ...line, place: reader.operand() };
}

/** Joins words that bash splits at "=": --state, =, RUNNING. */
function joinAssignments(typed: readonly string[]): string[] {
  const words: string[] = [];
  let continues = false;
  for (const word of typed) {
    if (word === "=" && words.length > 0) {
      words.push(`${words.pop()}=`);
      continues = true;
    } else if (continues) {
      words.push(`${words.pop()}${word}`);
      continues = false;
    } else words.push(word);
  }
  return words;
}

function valueOf(option: Option, command: Command): Place {
  const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? "";
  return { kind: "value", value, command, option };
}

/** Takes the words before the last one. */
class Reader {
  command: Command;
  /** The option whose value is the next word. */
  pending: Option | undefined;
  isOperandsOnly = false;
  readonly given: Record<string, string> = {};
  #operands = 0;

  constructor(program: Command) {
    this.command = program;
  }

  /** The command and those above it, whose options it takes too. */
  get commands(): Command[] {
    const found: Command[] = [];
    for (let at: Command | null = this.command; at !== null; at = at.parent) found.push(at);
    return found;
  }

  find(flag: string): Option | undefined {
    const options = this.commands.flatMap(({ options }) => options);
    return options.find((option) => (option.long === flag || option.short === flag) && takesValue(option));
  }

  take(word: string): void {
    if (this.pending !== undefined) {
      this.given[this.pending.attributeName()] = word;
      this.pending = undefined;
    } else if (!this.isOperandsOnly && word === "--") this.isOperandsOnly = true;
    else if (!this.isOperandsOnly && word.startsWith("-") && word !== "-") this.#takeOption(word);
    else this.#takeOperand(word);
  }

  #takeOption(word: string): void {
    const at = word.indexOf("=");
    if (word.startsWith("--") && at > 0) {
      const option = this.find(word.slice(0, at));
      if (option !== undefined) this.given[option.attributeName()] = word.slice(at + 1);
      return;
    }
    // The last one of several short options in one word, such as -it, can take a value.
    this.pending = this.find(word.startsWith("--") ? word : `-${word.at(-1)}`);
  }

  #takeOperand(word: string): void {
    const sub = this.command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (sub !== undefined && this.#operands === 0 && !this.isOperandsOnly) {
      this.command = sub;
      return;
    }
    this.#operands += 1;
    // The rest is the command line of a job.
    if (this.command.registeredArguments[0]?.name() === "COMMAND") this.isOperandsOnly = true;
  }

  operand(): Place {
    const { command } = this;
    if (command.commands.length > 0) {
      return this.#operands === 0 ? { kind: "commands", command } : { kind: "nothing" };
    }
    const operands = command.registeredArguments;
    const last = operands.at(-1);
    const argument = operands[this.#operands] ?? (last?.variadic ? last : undefined);
    return argument === undefined ? { kind: "nothing" } : { kind: "value", value: argument.name(), command };
  }
}

/** Returns whether the option must have a value. */
export function takesValue(option: Option): boolean {
  return option.required;
}
