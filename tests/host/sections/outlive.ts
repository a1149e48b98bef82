/**
 * Jobs outlive the server: while they run it restarts, is killed and is upgraded, with the commands of the documents. Then
 * the job host ends in every way, and the machine loses its power.
 */
import { codeOf } from "../documents.ts";
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { outcome, startSleepers, UNTIL_SERVING, waitUntil } from "../scripts.ts";

const OUTLIVE = "sh /srv/teleport/tests/host/guest/outlive.sh";
const HOST_LS = "runuser -u teleport -- teleportd host ls --data /var/lib/teleport/data";
const SHOW_VERSION = "teleport info | grep -i version";
const SOURCES = "/usr/local/lib/standin/src";
const NEXT = "/srv/teleport-next";

/** Waits until the job host accepts links. */
const UNTIL_HOST = waitUntil('[ "$(systemctl is-active teleportd-host)" = active ]');

/** Tries every promise about jobs that outlive the server. The services are running afterwards. */
export async function checkOutlive(machine: Machine, report: Report, isShort: boolean): Promise<void> {
  const count = isShort ? 6 : 20;
  await machine.must(`start ${count} jobs`, `${OUTLIVE} start ${count}`);
  const restart = await machine.run(
    `for i in 1 2; do systemctl restart teleportd; ${UNTIL_SERVING}; done; ${SHOW_VERSION}; ${HOST_LS}`,
  );
  report.finding("the server restarts twice while the jobs run", restart.code === 0, restart.text);
  const kill = await machine.run(
    `systemctl kill --kill-who=main -s KILL teleportd; ${UNTIL_SERVING}; systemctl show teleportd -p NRestarts`,
  );
  report.finding("systemd restarts a killed server while the jobs run", /NRestarts=1/.test(kill.text), kill.text);
  if (!isShort) await checkUpgrade(machine, report);
  const checked = await machine.run(`${OUTLIVE} check`);
  report.finding(
    `no job of ${count} noticed, and each output is exact, also that of watchers and of the sender`,
    new RegExp(`^jobs ${count}, faults 0, lines \\d+, exit codes 1 "exit_code":0 ${count - 1} "exit_code":7`, "m")
      .test(checked.text),
    checked.text,
  );
  await checkEndOfHost(machine, report);
  if (!isShort) await checkPowerFailure(machine, report);
}

/** From version N to N+1 and back to N, each as another build of the program. */
async function checkUpgrade(machine: Machine, report: Report): Promise<void> {
  const commands = `cd /root/install\n${await codeOf("docs/service-and-image.md", "Upgrade")}`;
  const upgrade = await machine.run(
    // It sets the number of restarts to 0, see systemctl(1). The section before may have counted one.
    "systemctl reset-failed teleportd-host; " +
      `cp -a /srv/teleport ${NEXT} && sed -i 's/"version": ".*"/"version": "99.0.0"/' ${NEXT}/deno.json && ` +
      `(cd ${NEXT} && npx -y deno@2.9.6 task -q bundle) && ` +
      `ln -sfn ${NEXT} ${SOURCES}\n${commands}\n${UNTIL_SERVING}; teleport run -d sleep 1008; ` +
      `${SHOW_VERSION}; ${HOST_LS}; systemctl show teleportd-host -p NRestarts -p MainPID -p ActiveState`,
  );
  report.finding(
    "an upgrade starts a job host of the new version next to the old one, as the main process of the unit",
    /99\.0\.0[^]*99\.0\.0[^]*NRestarts=0/.test(upgrade.text),
    upgrade.text,
  );
  const limits = await machine.run("teleport run --memory 32MiB -- cat /proc/self/cgroup");
  report.finding(
    "the new job host limits its jobs",
    /^0::.*teleportd-host\.service\/teleport-/m.test(limits.text),
    limits.text,
  );
  const back = await machine.run(
    `ln -sfn /srv/teleport ${SOURCES}\n${commands}\n${UNTIL_SERVING}; ${SHOW_VERSION}; ${HOST_LS}; ` +
      `teleport stop $(teleport list -q --command 'sleep 1008'); sleep 20; ${HOST_LS}; ` +
      "systemctl show teleportd-host -p NRestarts -p ActiveState",
  );
  report.finding(
    "after the way back, the job host of the other version ends with its last job, and the unit continues",
    /99\.0\.0[^]*NRestarts=0\nActiveState=active/.test(back.text) && back.text.split("99.0.0").length === 2,
    back.text,
  );
}

/** The ways in which a job host ends, each with jobs. */
async function checkEndOfHost(machine: Machine, report: Report): Promise<void> {
  const stop = await machine.run(
    `${startSleepers(3, 1001)}; systemctl stop teleportd-host; ${outcome(1001)}; systemctl is-active teleportd; ` +
      `systemctl start teleportd-host; ${waitUntil("teleport run echo again")}`,
  );
  report.finding(
    "systemctl stop of the job host ends its jobs in order, the server continues, and uses the next job host",
    /3 "reason":"SHUTDOWN"[^]*left: 0\nactive\nagain/.test(stop.text),
    stop.text,
  );
  const kill = await machine.run(
    `${startSleepers(3, 1002)}; systemctl kill --kill-who=main -s KILL teleportd-host; sleep 3; ${UNTIL_HOST}; ` +
      `${waitUntil("teleport run echo again")}; ${outcome(1002)}; systemctl show teleportd-host -p NRestarts; ` +
      "journalctl -u teleportd -o cat --no-pager | tail -n 5",
  );
  report.finding(
    "the jobs of a killed job host are LOST, no process of theirs is left, and the server uses the next job host",
    /again[^]*3 "state":"LOST"[^]*left: 0[^]*NRestarts=1/.test(kill.text),
    kill.text,
  );
}

/** The end of the machine, with jobs. */
async function checkPowerFailure(machine: Machine, report: Report): Promise<void> {
  await machine.must("start jobs before the power goes off", `${startSleepers(3, 1004)}; sync`);
  await machine.reboot();
  const booted = await machine.run(`${UNTIL_SERVING}; ${outcome(1004)}; journalctl -u teleportd -b -o cat --no-pager`);
  report.finding(
    "after a power failure the server is there, and its jobs are LOST",
    /3 "state":"LOST"/.test(booted.text) && /restarted: 3\nleft: 0/.test(booted.text),
    booted.text.split("\n").slice(0, 6).join("\n"),
  );
}
