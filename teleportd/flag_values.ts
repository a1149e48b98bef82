/** Parsers for the values of options, with the errors that Commander expects. */
import { InvalidArgumentError } from "commander";
import { errorMessage } from "../base/error_message.ts";
import type { OutputPolicy } from "../mod.ts";
import { parseDurationMs } from "../units/duration.ts";
import { parseSizeBytes } from "../units/size.ts";

const OUTPUT_POLICIES: Readonly<Record<string, OutputPolicy>> = {
  "stop": "STOP",
  "keep-newest": "KEEP_NEWEST",
  "block": "BLOCK",
};

/** Parses `--output-policy`. */
export function parseOutputPolicy(text: string): OutputPolicy {
  const policy = Object.hasOwn(OUTPUT_POLICIES, text) ? OUTPUT_POLICIES[text] : undefined;
  if (policy === undefined) throw new InvalidArgumentError('It must be "stop", "keep-newest" or "block"');
  return policy;
}

/** Parses an absolute path. */
export function parseAbsolutePath(text: string): string {
  if (!text.startsWith("/")) throw new InvalidArgumentError("It must be an absolute path");
  return text;
}

/** Parses names separated by commas. */
export function parseNames(text: string): string[] {
  const names = text.split(",");
  if (names.some((name) => name === "" || name.includes("="))) {
    throw new InvalidArgumentError('It must be names separated by commas, such as "HTTP_PROXY,TZ"');
  }
  return names;
}

/** Returns a parser of sizes. The name of the option is for errors. */
export function sizeParser(name: string): (text: string) => number {
  return withCommanderError((text) => parseSizeBytes(text, name));
}

/** Parses the number of some things. */
export function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("It must be an integer from 1 to 999999999");
  return Number(text);
}

/** Returns a parser of durations. The name of the option is for errors. */
export function durationParser(name: string, maxMs: number): (text: string) => number {
  return withCommanderError((text) => parseDurationMs(text, { name, minMs: 0, maxMs }));
}

/** Returns a parser that throws the errors of another one in the class that Commander expects. */
export function withCommanderError<Value>(parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(errorMessage(error));
    }
  };
}
