/** Parts of scripts that several sections run in the machine. */

/** Checks a condition each second until it holds, at most 90 times. The script continues in both cases. */
export function waitUntil(condition: string, attempts = 90): string {
  return `i=0; until ${condition}; do i=$((i + 1)); [ $i -lt ${attempts} ] || break; sleep 1; done`;
}

/** Waits until the service takes calls. */
export const UNTIL_SERVING = waitUntil("teleport list -q >/dev/null 2>&1");

/** Starts jobs that sleep for a time by which their processes can be found. */
export function startSleepers(count: number, seconds: number): string {
  return `for i in $(seq ${count}); do teleport run -d sleep ${seconds} >/dev/null; done`;
}

/** Prints how many of those jobs are in which state and ended for which reason, and how many processes are left. */
export function outcome(seconds: number): string {
  return `teleport --output json list --command "sleep ${seconds}" | grep -o '"state":"[A-Z_]*"\\|"reason":"[A-Z_]*"' | ` +
    `sort | uniq -c; teleport --output json list --command "sleep ${seconds}" | grep -c 'The machine was restarted' | ` +
    `sed 's/^/restarted: /'; echo "left: $(pgrep -c -x -f '(/usr/bin/)?sleep ${seconds}')"`;
}

/** Stops the server, its port and the job host. */
export const STOP = "systemctl stop teleportd.socket teleportd.service teleportd-host.service";

/** Starts the job host and the server. The server starts its port. */
export const START = "systemctl start teleportd-host teleportd";

const UNITS = "/etc/systemd/system";

/** Changes a unit until `restoreUnits`. The change applies from the next start of the service. */
export function changeUnit(text: string, unit = "teleportd"): string {
  const directory = `${UNITS}/${unit}.service.d`;
  return `mkdir -p ${directory}\ncat >${directory}/test.conf <<'UNIT'\n${text}\nUNIT\nsystemctl daemon-reload\n`;
}

/** Removes the changes of the units. */
export const RESTORE_UNITS =
  `rm -rf ${UNITS}/teleportd.service.d ${UNITS}/teleportd-host.service.d; systemctl daemon-reload`;
