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

/** The bytes of the standard error of a host that are kept. */
export const MAX_REPORT_BYTES = 4_096;

/** The bytes of the comment of the job, which has the path and the end of the file. Slurm 22.05 refuses more than 1,024. */
const COMMENT_BYTES = 1_000;

/** Returns the file with the standard error of a host, on its node. A host that ends in order leaves none. */
export function reportPath({ spool, id }: Pick<NodeConfig, "spool" | "id">): string {
  return `${spool}/teleport-${id}.err`;
}

/**
 * Returns the script of a node host. A shell stays as its parent: when the host is killed, it starts the host again, to end
 * what the job has left. The shell passes SIGTERM on, because an engine sends it to the shell alone. A host that dies of
 * SIGTERM has no handler yet, so it has begun nothing.
 *
 * Slurm passes on the environment of sbatch(1), which has LC_ALL=C only for its own texts. The standard error of the host
 * is in a file. Its path and its end become the comment of the Slurm job. The gateway then knows why a host has failed that
 * never connected. Everybody can write to /tmp, and read the job's name in Slurm. So the file must be new: dd(1) opens it
 * with O_EXCL. A shell with `set -C` would open a pipe of another user, and wait.
 *
 * @param command the command line of this program without arguments
 * @param directory the directory in which that is a command, where the nodes have it
 */
export function nodeScript(command: readonly string[], config: NodeConfig, directory: string): string {
  const host = `${command.map(quoteWord).join(" ")} host node`;
  const reports = [reportPath(config), reportPath({ ...config, spool: "/tmp" }), "/dev/null"];
  return `#!/bin/sh
unset LC_ALL
cd ${quoteWord(directory)} 2>/dev/null
for report in ${reports.map(quoteWord).join(" ")}; do
  (umask 077; dd if=/dev/null of="$report" conv=excl) 2>/dev/null && break
done
host= stop=
trap 'stop=1; test -z "$host" || kill -TERM "$host"' TERM
run() {
  ${host} "$0" "$@" 2>>"$report" &
  host=$!
  test -z "$stop" || kill -TERM "$host"
  while :; do
    wait "$host"
    code=$?
    kill -0 "$host" 2>/dev/null || break
  done
  host=
}
run
for start in 2 3 4 5; do
  test "$code" -gt 128 && test "$code" -ne 143 || break
  stop=
  run --recover
done
test "$report" != /dev/null || exit "$code"
if test "$code" -eq 0; then rm -f "$report"; exit; fi
text=$(tail -c ${MAX_REPORT_BYTES} "$report")
printf '%s\\n' "$text" >"$report"
text=$(printf %s "$text" | tail -c $((${COMMENT_BYTES} - \${#report})) | tr -cs '[:graph:]' ' ' | tr '|' ' ')
test -z "$SLURM_JOB_ID" || test -z "$text" || timeout 20 scontrol update JobId="$SLURM_JOB_ID" Comment="$report: $text"
exit "$code"
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
