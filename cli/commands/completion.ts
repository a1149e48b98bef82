/** `teleport completion`: prints the script that makes a shell complete this program's words. */
import type { Command } from "commander";
import { UsageError } from "../../units/usage_error.ts";
import type { Declare, SetupContext } from "../command.ts";
import { EXIT_CODE } from "../exit_code.ts";

const NOTES = `
Load it in the file that your shell reads at its start:
  bash    echo 'source <(teleport completion bash)' >> ~/.bashrc
  zsh     echo 'autoload -Uz compinit; compinit; source <(teleport completion zsh)' >> ~/.zshrc
  fish    teleport completion fish > ~/.config/fish/completions/teleport.fish

It completes commands and options, and asks the server for ids, names and labels of jobs. When the
server does not answer within a second, it completes only the rest.`;

const BASH = `# Completion of teleport for bash.
_teleport() {
  local lines line at=$COMP_CWORD count=0
  COMPREPLY=()
  mapfile -t lines < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case "\${lines[0]:-}" in
    :files) compopt -o default; return ;;
    :directories) compopt -o dirnames; return ;;
  esac
  # bash splits words at "=", and replaces only the part after the last one.
  if [[ $COMP_WORDBREAKS == *=* ]]; then
    while ((at > 0)); do
      if [[ \${COMP_WORDS[at]} == "=" ]]; then ((count += 1, at -= 1))
      elif [[ \${COMP_WORDS[at - 1]} == "=" ]]; then ((at -= 1))
      else break; fi
    done
  fi
  for line in "\${lines[@]:1}"; do
    line=\${line%%$'\\t'*}
    for ((at = 0; at < count; at += 1)); do line=\${line#*=}; done
    [[ $line == *= ]] && compopt -o nospace
    # bash puts the word on the command line as it is. Another user may have chosen it.
    [[ $line == *[!A-Za-z0-9_.,:/@%+=-]* ]] && printf -v line %q "$line"
    COMPREPLY+=("$line")
  done
}
complete -F _teleport teleport
`;

const ZSH = `#compdef teleport
# Completion of teleport for zsh.
_teleport() {
  local -a lines described
  local line word
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  case "\${lines[1]}" in
    :files) _files; return ;;
    :directories) _files -/; return ;;
  esac
  for line in "\${(@)lines[2,-1]}"; do
    word=\${line%%$'\\t'*}
    described+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
  done
  ((\${#described})) && _describe -t words teleport described
}
if [[ "\${funcstack[1]:-}" == _teleport ]]; then _teleport "$@"; else compdef _teleport teleport; fi
`;

const FISH = `# Completion of teleport for fish.
function __teleport_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program $words[1]
  set -e words[1]
  set -l lines ($program __complete -- $words "$current" 2>/dev/null)
  set -l kind "$lines[1]"
  set -e lines[1]
  switch "$kind"
    case :files
      __fish_complete_path "$current"
    case :directories
      __fish_complete_directories "$current"
    case '*'
      test (count $lines) -gt 0; and printf '%s\\n' $lines
  end
end
complete -c teleport -f -a '(__teleport_complete)'
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export const declare: Declare = (command, runner) => {
  command.addHelpText("after", NOTES)
    .action(async (shell: string, _flags: unknown, self: Command) => {
      await runner.setup(self, (context) => printScript(context, shell));
    });
};

async function printScript({ print }: SetupContext, shell: string): Promise<number> {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) throw new UsageError(`Unknown shell "${shell}": give "bash", "zsh" or "fish"`);
  await print.bytes("stdout", new TextEncoder().encode(script));
  return EXIT_CODE.OK;
}
