/** The systemd unit: installed as the documents say, then restarted, killed, reloaded and booted with jobs running. */
import { codeOf } from "../documents.ts";
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { changeUnit, RESTORE_UNIT, UNTIL_SERVING, waitUntil } from "../scripts.ts";

/** Starts jobs that sleep for a time by which their processes can be found. */
const startJobs = (count: number, seconds: number) =>
  `for i in $(seq ${count}); do teleport run -d sleep ${seconds} >/dev/null; done`;

/** Prints how many jobs end in which state and for which reason, and how many processes are left. */
const outcome = (seconds: number) =>
  `teleport --output json list --command "sleep ${seconds}" | grep -o '"state":"[A-Z_]*"\\|"reason":"[A-Z_]*"' | ` +
  `sort | uniq -c; teleport --output json list --command "sleep ${seconds}" | grep -c 'The machine was restarted' | ` +
  `sed 's/^/restarted: /'; echo "left: $(pgrep -c -x -f '(/usr/bin/)?sleep ${seconds}')"`;

/** Installs the unit as the documents say. The service is running afterwards. */
export async function installService(machine: Machine, report: Report): Promise<void> {
  await machine.must("make certificates", "cd /srv/teleport && npx -y deno@2.9.6 task -q certs init --host host");
  const install = await codeOf("docs/service-and-image.md", "systemd");
  await machine.must(
    "gather what the documents install",
    "mkdir -p /root/install && cd /root/install && ln -sfn /srv/teleport/dist /srv/teleport/packaging . && " +
      "cp /root/.config/teleport/ca.crt /root/.config/teleport/server.* .",
  );
  const installed = await machine.run(`set -e; cd /root/install\n${install}`);
  report.finding("the commands of the documents install the unit", installed.code === 0, installed.text || "no output");
}

/**
 * Tries every promise about the installed unit. The service is running afterwards.
 *
 * @param isShort leaves out what takes minutes: a hung server, signals to the unit, and credentials of systemd
 */
export async function checkService(machine: Machine, report: Report, isShort: boolean): Promise<void> {
  const status = await machine.run("sleep 2; systemctl status teleportd --no-pager; ps -o user= -C deno | sort -u");
  report.finding(
    "systemctl status shows the jobs, and the server runs as its user",
    /Status: "Jobs running: 0, watchers: 0"/.test(status.text) && /^teleport$/m.test(status.text),
    /Status: .*|Active: .*/.exec(status.text)?.[0] ?? status.text,
  );
  const verified = await machine.run("systemd-analyze verify /etc/systemd/system/teleportd.service 2>&1; true");
  const complaints = verified.text.split("\n").filter((line) => line !== "" && !line.includes("DelegateSubgroup"));
  report.finding("systemd finds no fault in the unit", complaints.length === 0, complaints.join("\n") || "none");
  // With Type=notify the command returns before the server has begun to reload.
  const reloaded = "journalctl -u teleportd -o cat --no-pager | grep -q 'Reloaded teleportd'";
  const running = "systemctl show teleportd -p SubState | grep running";
  const reload = await machine.run(
    `systemctl reload teleportd; ${waitUntil(reloaded, 60)}; ${waitUntil(running, 60)}`,
  );
  report.finding("systemctl reload leaves the service running", /SubState=running/.test(reload.text), reload.text);

  const restart = await machine.run(`${startJobs(20, 1001)}; systemctl restart teleportd && ${outcome(1001)}`);
  report.finding(
    "systemctl restart ends 20 jobs in order",
    /20 "reason":"SHUTDOWN"/.test(restart.text) && /left: 0/.test(restart.text),
    restart.text,
  );
  const kill = await machine.run(
    `${startJobs(3, 1002)}; systemctl kill --kill-who=main -s KILL teleportd; sleep 3; ${UNTIL_SERVING}; ` +
      `${outcome(1002)}; systemctl show teleportd -p NRestarts`,
  );
  report.finding(
    "systemd restarts a killed server, whose jobs are LOST",
    /3 "state":"LOST"/.test(kill.text) && /left: 0/.test(kill.text) && /NRestarts=1/.test(kill.text),
    kill.text,
  );
  if (!isShort) {
    await checkSignals(machine, report);
    await checkCredentials(machine, report);
  }
  await machine.must("start jobs before the power goes off", `${startJobs(3, 1004)}; sync`);
  await machine.reboot();
  const booted = await machine.run(`${UNTIL_SERVING}; ${outcome(1004)}; journalctl -u teleportd -b -o cat --no-pager`);
  report.finding(
    "after a power failure the server is there, and its jobs are LOST",
    /3 "state":"LOST"/.test(booted.text) && /restarted: 3\nleft: 0/.test(booted.text),
    booted.text.split("\n").slice(0, 6).join("\n"),
  );
}

/** Signals to the whole unit, and a server that hangs. */
async function checkSignals(machine: Machine, report: Report): Promise<void> {
  const killAll = await machine.run(
    `${startJobs(3, 1003)}; systemctl kill teleportd; until ! systemctl is-active -q teleportd; do sleep 1; done; ` +
      `systemctl start teleportd; ${outcome(1003)}; systemctl show teleportd -p Result`,
  );
  report.finding(
    "systemctl kill leaves no job without a true end",
    /left: 0/.test(killAll.text) && !/RUNNING|STARTING|LOST/.test(killAll.text),
    killAll.text,
  );
  const restarted = '[ "$(systemctl show teleportd -p NRestarts --value)" -gt 0 ]';
  const hung = await machine.run(
    `systemctl kill --kill-who=main -s STOP teleportd; ${waitUntil(restarted, 150)}; ${UNTIL_SERVING}; ` +
      "journalctl -u teleportd -o cat --no-pager | grep -m 1 'Watchdog timeout'",
  );
  report.finding("systemd restarts a server that hangs", hung.code === 0, hung.text);
}

/** Certificates by LoadCredential= in place of files that the server's user can read. */
async function checkCredentials(machine: Machine, report: Report): Promise<void> {
  const change = await codeOf("docs/service-and-image.md", "systemd", "ini");
  const { text } = await machine.run([
    "set -e",
    "install -d /etc/teleport-secret",
    "install -m 600 /root/install/ca.crt /root/install/server.crt /root/install/server.key /etc/teleport-secret/",
    changeUnit(change),
    "systemctl restart teleportd",
    "teleport run echo served",
    RESTORE_UNIT,
    "systemctl restart teleportd",
  ].join("\n"));
  report.finding("credentials of systemd serve as certificates", /^served$/m.test(text), text);
}
