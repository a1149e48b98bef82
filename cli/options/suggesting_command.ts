/** A command of Commander that suggests similar words for unknown ones, in the form of this project's errors. */
import { Command } from "commander";
import { UsageError } from "../../units/usage_error.ts";
import { commandSuggestions, suggestions } from "./suggestion.ts";

/** The command. Commander calls `unknownOption` and `unknownCommand`, which are not in its types. */
export class SuggestingCommand extends Command {
  override createCommand(name?: string): Command {
    return new SuggestingCommand(name);
  }

  unknownOption(flag: string): never {
    const commands = [this, ...this.parent === null ? [] : [this.parent]];
    const options = commands.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
    const similar = flag.startsWith("--") ? suggestions(flag, options) : [];
    throw new UsageError(`Unknown option "${flag}"${suggestionText(similar)}`);
  }

  unknownCommand(): never {
    const name = this.args[0] ?? "";
    const visible = this.createHelp().visibleCommands(this);
    const similar = commandSuggestions(name, visible.map((command) => command.name()));
    throw new UsageError(`Unknown command "${name}"${suggestionText(similar)}`);
  }
}

function suggestionText(words: readonly string[]): string {
  return words.length === 0 ? "" : `: did you mean ${[...new Set(words)].join(" or ")}`;
}
