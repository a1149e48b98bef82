/** A command of Commander that answers unknown words with close suggestions, in this project's sentences. */
import { Command } from "commander";
import { suggestions } from "./suggestion.ts";
import { UsageError } from "../../units/usage_error.ts";

/** A command that suggests only close words. Commander calls both methods, which are not in its types. */
export class SuggestingCommand extends Command {
  override createCommand(name?: string): Command {
    return new SuggestingCommand(name);
  }

  unknownOption(flag: string): never {
    const commands = [this, ...this.parent === null ? [] : [this.parent]];
    const options = commands.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
    throw new UsageError(`Unknown option "${flag}"${meant(flag.startsWith("--") ? suggestions(flag, options) : [])}`);
  }

  unknownCommand(): never {
    const name = this.args[0] ?? "";
    throw new UsageError(
      `Unknown command "${name}"${meant(suggestions(name, this.commands.map((one) => one.name())))}`,
    );
  }
}

function meant(words: readonly string[]): string {
  return words.length === 0 ? "" : `: did you mean ${[...new Set(words)].join(" or ")}`;
}
