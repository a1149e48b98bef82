/** The configuration of a node host, and the shell script that starts it. */
import { quoteWord } from "./shell_quote.ts";

/** The configuration of a node host. */
export interface NodeConfig {
  /** The random name of the job, and of the instance of the host. */
  readonly id: string;
  /** The addresses of the gateway, `HOST:PORT`. They are tried in turn. */
  readonly addresses: readonly string[];
  /** The authority of the gateway, and the certificate and key of this job, in PEM. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** The directory in which the host makes its own. */
  readonly spool: string;
}

/** The beginning of the line of a script that has the configuration. */
const MARK = "#teleport ";

/**
 * Returns the script of a node host. A shell stays as its parent: when the host is killed, it starts the host once more,
 * to end what the job has left. The shell passes SIGTERM on, because an engine sends it to the shell alone.
 *
 * @param command the command line of this program without arguments
 * @param directory the directory in which that is a command, where the nodes have it
 */
export function nodeScript(command: readonly string[], config: NodeConfig, directory: string): string {
  const host = `${command.map(quoteWord).join(" ")} host node`;
  return `#!/bin/sh
cd ${quoteWord(directory)} 2>/dev/null
host=
trap 'test -z "$host" || kill -TERM "$host"' TERM
${host} "$0" &
host=$!
while :; do
  wait "$host"
  code=$?
  kill -0 "$host" 2>/dev/null || break
done
test "$code" -gt 128 || exit "$code"
exec ${host} "$0" --recover
${MARK}${new TextEncoder().encode(JSON.stringify(config)).toBase64()}
`;
}

/** Reads the configuration out of a script. Undefined when it has none. */
export function readNodeScript(script: string): NodeConfig | undefined {
  const line = script.split("\n").findLast((line) => line.startsWith(MARK));
  if (line === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(line.slice(MARK.length)))) as NodeConfig;
  } catch {
    return undefined;
  }
}
