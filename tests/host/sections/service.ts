/** The systemd units: installed as the documents say, then reloaded, signalled, stopped, and given other credentials. */
import { codeOf } from "../documents.ts";
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { changeUnit, outcome, RESTORE_UNITS, startSleepers, UNTIL_SERVING, waitUntil } from "../scripts.ts";

const UNITS = ["teleportd.service", "teleportd.socket", "teleportd-host.service"];

/** Installs the units as the documents say. The services are running afterwards. */
export async function installService(machine: Machine, report: Report): Promise<void> {
  await machine.must("make certificates", "cd /srv/teleport && npx -y deno@2.9.6 task -q certs init --host host");
  const install = await codeOf("docs/service-and-image.md", "systemd");
  await machine.must(
    "gather what the documents install",
    "mkdir -p /root/install && cd /root/install && ln -sfn /srv/teleport/dist /srv/teleport/packaging . && " +
      "cp /root/.config/teleport/ca.crt /root/.config/teleport/server.* .",
  );
  const installed = await machine.run(`set -e; cd /root/install\n${install}`);
  report.finding(
    "the commands of the documents install the units",
    installed.code === 0,
    installed.text || "no output",
  );
}

/**
 * Tries every promise about the installed units, except those about jobs that outlive the server. The services are running
 * afterwards.
 *
 * @param isShort leaves out what takes minutes: a hung server, signals to the unit, and credentials of systemd
 */
export async function checkService(machine: Machine, report: Report, isShort: boolean): Promise<void> {
  const status = await machine.run("sleep 2; systemctl status teleportd --no-pager; ps -o user= -C deno | sort -u");
  report.finding(
    "systemctl status shows the jobs, and the programs run as their user",
    /Status: "Jobs running: 0, watchers: 0"/.test(status.text) && /^teleport$/m.test(status.text),
    /Status: .*|Active: .*/.exec(status.text)?.[0] ?? status.text,
  );
  const verified = await machine.run(
    `systemd-analyze verify ${UNITS.map((unit) => `/etc/systemd/system/${unit}`).join(" ")} 2>&1; true`,
  );
  const complaints = verified.text.split("\n").filter((line) => line !== "" && !line.includes("DelegateSubgroup"));
  report.finding("systemd finds no fault in the units", complaints.length === 0, complaints.join("\n") || "none");
  // With Type=notify the command returns before the server has begun to reload.
  const reloaded = "journalctl -u teleportd -o cat --no-pager | grep -q 'Reloaded teleportd'";
  const running = "systemctl show teleportd -p SubState | grep running";
  const reload = await machine.run(
    `systemctl reload teleportd; ${waitUntil(reloaded, 60)}; ${waitUntil(running, 60)}`,
  );
  report.finding("systemctl reload leaves the service running", /SubState=running/.test(reload.text), reload.text);

  const stopped = await machine.run(
    "systemctl stop teleportd.socket; systemctl is-active teleportd teleportd.socket teleportd-host; " +
      "teleport list -q 2>&1; systemctl start teleportd; teleport run echo served",
  );
  report.finding(
    "a stop of the socket stops the server and closes its port, and the job host continues",
    /^inactive\ninactive\nactive\n[^]*nothing listens[^]*^served$/m.test(stopped.text),
    stopped.text,
  );
  if (!isShort) {
    await checkSignals(machine, report);
    await checkCredentials(machine, report);
  }
}

/** Signals to the whole unit of the job host, and a server that hangs. */
async function checkSignals(machine: Machine, report: Report): Promise<void> {
  const killAll = await machine.run(
    `${startSleepers(3, 1003)}; systemctl kill teleportd-host; sleep 15; ${UNTIL_SERVING}; ${outcome(1003)}; ` +
      "systemctl is-active teleportd-host",
  );
  report.finding(
    "systemctl kill of the job host leaves no job without a true end, and systemd starts the next job host",
    /left: 0\nactive/.test(killAll.text) && !/RUNNING|STARTING|LOST/.test(killAll.text),
    killAll.text,
  );
  const restarted = '[ "$(systemctl show teleportd -p NRestarts --value)" -gt 0 ]';
  const hung = await machine.run(
    `${startSleepers(3, 1005)}; systemctl kill --kill-who=main -s STOP teleportd; ${waitUntil(restarted, 150)}; ` +
      `${UNTIL_SERVING}; journalctl -u teleportd -o cat --no-pager | grep -m 1 'Watchdog timeout'; ${outcome(1005)}; ` +
      // The next section counts the jobs of the host.
      "teleport stop $(teleport list -q --command 'sleep 1005') >/dev/null",
  );
  report.finding(
    "systemd restarts a server that hangs, and its jobs continue",
    /Watchdog[^]*3 "state":"RUNNING"[^]*left: 3/.test(hung.text),
    hung.text,
  );
}

/** Certificates by LoadCredential= in place of files that the server's user can read. */
async function checkCredentials(machine: Machine, report: Report): Promise<void> {
  const change = await codeOf("docs/service-and-image.md", "Credentials of systemd", "ini");
  const { text } = await machine.run([
    "set -e",
    "install -d /etc/teleport-secret",
    "install -m 600 /root/install/ca.crt /root/install/server.crt /root/install/server.key /etc/teleport-secret/",
    changeUnit(change),
    "systemctl restart teleportd",
    "teleport run echo served",
    RESTORE_UNITS,
    "systemctl restart teleportd",
  ].join("\n"));
  report.finding("credentials of systemd serve as certificates", /^served$/m.test(text), text);
}
