/** Completion by Tab in real shells on a real terminal: commands, options, values, and the jobs of a server. */
import { noTerminal, onTerminal } from "./terminal.ts";
import { shellWord } from "../../text/escape_terminal.ts";
import { missing, skippedIf } from "../support/needs.ts";
import { startServer } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

interface Shell {
  readonly argv: readonly string[];
  /** The line that loads the completion. */
  readonly load: string;
}

const SHELLS: Readonly<Record<"bash" | "zsh" | "fish", Shell>> = {
  bash: { argv: ["bash", "--norc", "--noprofile", "-i"], load: "source <(teleport completion bash)" },
  zsh: { argv: ["zsh", "-f", "-i"], load: "autoload -Uz compinit; compinit -D -u; source <(teleport completion zsh)" },
  fish: { argv: ["fish", "--no-config", "-i"], load: "teleport completion fish | source" },
};

/** Each line: the keys, and the arguments that the program then gets. */
const PRESSED: readonly (readonly [keys: string, args: string])[] = [
  ["conte\t\tu\tl\t", "context use lab"],
  ["run --iso\tpri\t", "run --isolate private"],
  ["stop $ID\t", "stop $FULL"],
  ["status $ID\t", "status $FULL"],
  ["list --label team=\t", "list --label team=blue"],
  // Another user may have chosen the label. No part of it may run.
  ["list --label note=\t", "list --label note=`id`;$(id) 'x"],
  ["signal $ID SIGTER\t", "signal $ID SIGTERM"],
  ["list --state=RUN\t", "list --state=RUNNING"],
  ["--context l\tlist", "--context lab list"],
];

for (const [name, { argv, load }] of Object.entries(SHELLS) as [keyof typeof SHELLS, Shell][]) {
  Deno.test({
    ...skippedIf(noTerminal ?? missing(name), `Tab completes commands, options, values and jobs in ${name}`),
    async fn() {
      await using server = await startServer();
      await using temporary = await tempDir();
      const dir = temporary.path;
      await using client = await clientOf(server);
      const job = { command: "sleep", args: ["60"], labels: { team: "blue", note: "`id`;$(id) 'x" } };
      const { id } = await client.calls.Register(job);
      await Deno.mkdir(`${dir}/config/teleport`, { recursive: true });
      await Deno.writeTextFile(`${dir}/config/teleport/config.toml`, `[contexts.lab]\naddress = "${server.address}"\n`);
      await Deno.mkdir(`${dir}/bin`);
      await Deno.writeTextFile(`${dir}/bin/teleport`, program(dir), { mode: 0o755 });
      const terminal = onTerminal(argv, {
        cwd: new URL("../../", import.meta.url).pathname,
        env: {
          PATH: `${dir}/bin:${Deno.env.get("PATH")}`,
          HOME: dir,
          // Else fish makes a directory for it in the temporary directory.
          XDG_RUNTIME_DIR: dir,
          TERM: "xterm",
          XDG_CONFIG_HOME: `${dir}/config`,
          TELEPORT_ADDRESS: server.address,
          TELEPORT_CERTS: `${server.dir}/certs`,
          DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
          PS1: "> ",
        },
      });
      await terminal.type(`${load}; teleport READY\n`);
      await terminal.shown("CALLED[READY]");
      const filled = (text: string) => text.replace("$ID", id.slice(0, 13)).replace("$FULL", id);
      for (const [keys, args] of PRESSED) {
        await terminal.type(`teleport ${filled(keys)}\n`);
        await terminal.shown(`CALLED[${filled(args)}]`);
      }
      await terminal.type("exit\n");
      await terminal.ended;
    },
  });
}

/** A program that completes as teleport does, and otherwise prints its arguments. */
function program(dir: string): string {
  const deno = shellWord(Deno.execPath());
  const cli = shellWord(new URL("../../cli.ts", import.meta.url).pathname);
  return `#!/bin/sh
case "$1" in
  __complete|completion) exec ${deno} run -q --no-check -P=cli --no-prompt ${cli} "$@" 2>>${
    shellWord(`${dir}/errors`)
  } ;;
esac
echo "CALLED[$*]"
`;
}
