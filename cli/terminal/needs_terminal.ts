/** Which programs have no use without a terminal. */

/** Programs that draw on the whole screen, and wait for keys. */
const FULL_SCREEN = [
  "emacs",
  "htop",
  "less",
  "mc",
  "more",
  "nano",
  "nvim",
  "screen",
  "tmux",
  "top",
  "vi",
  "view",
  "vim",
];

/** Programs that wait for commands at a terminal when they get no arguments. */
const INTERACTIVE = ["bash", "dash", "fish", "ipython", "node", "python", "python3", "sh", "zsh"];

/** Returns whether a command is one of the programs that people use at a terminal only. */
export function needsTerminal(command: string, args: readonly string[]): boolean {
  const program = command.slice(command.lastIndexOf("/") + 1);
  // "top -b" prints its table to any output.
  if (program === "top" && args.some((arg) => /^-\w*b/.test(arg))) return false;
  return FULL_SCREEN.includes(program) || (args.length === 0 && INTERACTIVE.includes(program));
}
