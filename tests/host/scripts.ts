/** Parts of scripts that several sections run in the machine. */

/** Checks a condition each second until it holds, at most 90 times. The script continues in both cases. */
export function waitUntil(condition: string, attempts = 90): string {
  return `i=0; until ${condition}; do i=$((i + 1)); [ $i -lt ${attempts} ] || break; sleep 1; done`;
}

/** Waits until the service takes calls. */
export const UNTIL_SERVING = waitUntil("teleport list -q >/dev/null 2>&1");

const DROP_IN = "/etc/systemd/system/teleportd.service.d";

/** Changes the unit until `RESTORE_UNIT`. The change applies from the next start of the service. */
export function changeUnit(text: string): string {
  return `mkdir -p ${DROP_IN}\ncat >${DROP_IN}/test.conf <<'UNIT'\n${text}\nUNIT\nsystemctl daemon-reload\n`;
}

/** Removes the change of the unit. */
export const RESTORE_UNIT = `rm -r ${DROP_IN}; systemctl daemon-reload`;
