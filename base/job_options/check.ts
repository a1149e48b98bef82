/** Checks the values of job options against their descriptors. */
import { quote } from "../quote.ts";
import type { AnyMember, AnyOption } from "./descriptor.ts";
import { OPTION_ENTRIES } from "./entries.ts";
import type { JobOptionValues } from "./table.ts";

/**
 * Checks the options that the table describes. Other properties are not looked at.
 *
 * @returns what is wrong with the first bad value; undefined when all are good
 *
 * @example
 * ```ts
 * import { optionsError } from "./check.ts";
 *
 * console.assert(optionsError({ nice: 20 }) === "Niceness must be an integer from -20 to 19, got 20");
 * ```
 */
export function optionsError(options: JobOptionValues): string | undefined {
  for (const [name, option] of OPTION_ENTRIES) {
    const value = options[name];
    const error = value === undefined ? undefined : optionError(option, value);
    if (error !== undefined) return error;
  }
  return undefined;
}

function optionError(option: AnyOption | AnyMember, value: unknown): string | undefined {
  const mustBe = (what: string) => {
    const noun = `${option.noun.charAt(0).toUpperCase()}${option.noun.slice(1)}`;
    return `${noun} must be ${what}, got ${shown(option, value)}`;
  };
  switch (option.kind) {
    case "integer":
    case "decimal": {
      const { kind, min, max, unit } = option;
      const isNumber = kind === "integer" ? Number.isSafeInteger(value) : typeof value === "number";
      if (isNumber && Number(value) >= min && Number(value) <= max) return undefined;
      const range = `from ${shown(option, min)} to ${shown(option, max)}`;
      return mustBe(
        `${kind === "integer" ? "an integer" : "a number"} ${range}${unit === undefined ? "" : ` ${unit}`}`,
      );
    }
    case "text":
      if (typeof value !== "string") return mustBe("a string");
      if (!value.isWellFormed()) return mustBe("valid Unicode, without halves of surrogate pairs");
      return option.pattern.test(value) ? undefined : mustBe(option.must);
    case "choice":
      if (typeof value === "string" && Object.hasOwn(option.words, value)) return undefined;
      return mustBe(Object.keys(option.words).map(quote).join(" or "));
    case "group": {
      if (typeof value !== "object" || value === null) return mustBe("an object");
      const values = value as Readonly<Record<string, number | string>>;
      for (const [name, member] of Object.entries<AnyMember>(option.members)) {
        const error = values[name] === undefined ? undefined : optionError(member, values[name]);
        if (error !== undefined) return error;
      }
      return option.conflict?.(values, (name) => `the ${option.members[name]!.noun}`);
    }
    case "switch":
      return undefined;
  }
}

/** A value in an error text: octal where people write the option so. */
function shown(option: AnyOption | AnyMember, value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "number") return value === null ? "null" : typeof value;
  const isOctal = option.kind === "integer" && option.notation === "octal" && Number.isInteger(value);
  return isOctal ? `0o${value.toString(8)}` : `${value}`;
}
