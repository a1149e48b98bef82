/** The container image: built and run as the documents say, by podman. */
import { codeOf } from "../documents.ts";
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { waitUntil } from "../scripts.ts";

/** Waits until a container logs that it serves. */
const untilListening = (name: string) => waitUntil(`docker logs ${name} 2>&1 | grep -q '^listening on'`);

/** A server of root does not trust the directories that the image made for its user. */
const ROOTS_DATA = "--data /var/lib/teleport-root";

/** Runs a job whose daemon has no environment and no parent, and counts the daemons that are left on the host. */
const daemonOf = (name: string) =>
  `docker exec ${name} teleport run -- sh -c '(setsid env -i sleep 4324 &); sleep 1'; ` +
  "echo daemons: $(pgrep -c -x -f '(/usr/bin/)?sleep 4324')";

/** Starts a further container, by default on the certificates of the first. */
const another = (name: string, options: string, args = "", certs = "~/teleport-server") =>
  `docker run -d --name ${name} ${options} -v ${certs}:/etc/teleport:ro teleport ${args} >/dev/null && ` +
  untilListening(name);

/** Tries every promise about the image. */
export async function checkImage(machine: Machine, report: Report): Promise<void> {
  await machine.must("load the base images", "sh /srv/teleport/tests/host/guest/base_images.sh");
  await machine.run("systemctl stop teleportd.socket teleportd teleportd-host; rm -rf ~/teleport-ca ~/teleport-server");
  const commands = await codeOf("docs/service-and-image.md", "Docker");
  const [build = "", ...rest] = commands.split("\n").filter((line) => line !== "");
  const built = await machine.run(`cd /srv/teleport && ${build} 2>&1`);
  report.finding("the image builds", built.code === 0, built.text.split("\n").slice(-3).join("\n"));
  if (built.code !== 0) return;
  const last = rest.pop() ?? "";
  const ran = await machine.run(
    `set -e; cd /srv/teleport\n${rest.join("\n")}\n${untilListening("teleportd")}\n${last}`,
  );
  report.finding(
    "the commands of the documents run a job as the user teleport",
    /^uid=50051\(teleport\) gid=50051\(teleport\) groups=50051\(teleport\)$/m.test(ran.text),
    ran.text,
  );
  const published = await machine.run("TELEPORT_CERTS=~/teleport-ca teleport run -- cat /proc/1/comm");
  report.finding(
    "its port is published, and tini is its first process",
    /^tini$/m.test(published.text),
    published.text,
  );
  const capabilities = await machine.run("docker exec teleportd teleport run grep Cap /proc/self/status");
  report.finding("a job has no capability", /CapEff:\s+0+$/m.test(capabilities.text), capabilities.text);
  const labels = await machine.run("docker inspect teleport --format '{{.Config.Labels}}'; docker images teleport");
  report.finding("it has labels", /org.opencontainers.image.title:teleport/.test(labels.text), labels.text);
  // The emulated processor takes longer for one call than the 5 s of the health check.
  const health = await machine.run("docker exec teleportd teleport list --quiet --limit 1; echo exit $?");
  report.finding("the command of the health check succeeds", /exit 0$/.test(health.text.trim()), health.text);
  const orphans = await machine.run(
    "docker exec teleportd teleport run -- sh -c 'sh -c \"sleep 1 & exit\"; exit'; sleep 3; " +
      "docker exec teleportd sh -c 'cat /proc/[0-9]*/stat' | grep -c ' Z '",
  );
  report.finding("orphans of jobs are reaped", /^0$/m.test(orphans.text), orphans.text);
  const stop = await machine.run(
    "docker exec teleportd teleport run -d -- sh -c 'trap \"\" TERM; while :; do sleep 1; done'; " +
      "docker stop -t 10 teleportd; docker inspect teleportd --format 'exit {{.State.ExitCode}}'; " +
      `docker start teleportd; ${waitUntil("docker exec teleportd teleport list -q >/dev/null 2>&1")}; ` +
      "docker exec teleportd teleport --output json list | grep -c SHUTDOWN",
  );
  report.finding(
    "docker stop ends a job that ignores SIGTERM, and the server exits with 0",
    /exit 0/.test(stop.text) && /^1$/m.test(stop.text),
    stop.text,
  );
  await checkOptions(machine, report);
  await checkRootless(machine, report);
  // Its port is that of the service.
  await machine.run("docker rm -f teleportd foreign");
}

/** Containers with other options. */
async function checkOptions(machine: Machine, report: Report): Promise<void> {
  const options = await machine.run(
    another("options", "-p 50062:50051", "--log-level debug") +
      "; TELEPORT_CERTS=~/teleport-ca teleport --address 127.0.0.1:50062 run echo reached; docker rm -f options",
  );
  report.finding("an option of docker run adds to the others", /^reached$/m.test(options.text), options.text);
  const readOnly = await machine.run(
    another(
      "strict",
      "--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges -v strict:/var/lib/teleport",
    ) +
      "; docker exec strict teleport run echo ran; docker stop strict; docker inspect strict --format 'exit {{.State.ExitCode}}'",
  );
  report.finding(
    "it runs with a read-only root file system and without capabilities",
    /^ran$/m.test(readOnly.text) && /exit 0/.test(readOnly.text),
    readOnly.text,
  );
  const foreign = await machine.run(
    "mkdir -p ~/foreign && chmod 700 ~/foreign; docker run --name foreign -v ~/foreign:/var/lib/teleport " +
      "-v ~/teleport-server:/etc/teleport:ro teleport; echo exit $?",
  );
  report.finding(
    "a data directory of another user is refused with its owner and the remedy",
    /chown -R 50051/.test(foreign.text) && /exit 1/.test(foreign.text),
    foreign.text,
  );
  const cgroups = await machine.run(
    another("delegated", "--user 0 --privileged --cgroupns private", ROOTS_DATA, "~/teleport-ca") +
      `; docker logs delegated 2>&1 | grep 'Jobs have'; ${daemonOf("delegated")}; docker rm -f delegated`,
  );
  report.finding(
    "a privileged container of root gives jobs cgroups, without limits because tini is in its cgroup",
    /have cgroups in "\/sys\/fs\/cgroup\/.*cannot limit them[^]*^daemons: 0$/m.test(cgroups.text),
    cgroups.text,
  );
  const plain = await machine.run(`docker logs teleportd 2>&1 | grep -m 1 'Jobs have'; ${daemonOf("teleportd")}`);
  report.finding(
    "a plain container says that jobs have no cgroups, and why, and a daemon does not get away",
    /have no cgroups \(.*EROFS[^]*^daemons: 0$/m.test(plain.text),
    plain.text,
  );
}

/** The image by podman of an ordinary user. */
async function checkRootless(machine: Machine, report: Report): Promise<void> {
  await machine.must(
    "give the image to alice",
    "podman save -q -o /tmp/teleport.tar teleport && chmod 644 /tmp/teleport.tar && rm -rf ~alice/teleport-server && " +
      "cp -r ~/teleport-ca ~alice/teleport-server && rm ~alice/teleport-server/ca.key && chown -R alice: ~alice/teleport-server",
  );
  await machine.run("podman load -q -i /tmp/teleport.tar", "alice");
  const plain = await machine.run(
    "docker run -d --name plain --user 0 -v ~/teleport-server:/etc/teleport:ro localhost/teleport " +
      `${ROOTS_DATA} >/dev/null && ${untilListening("plain")}; docker logs plain 2>&1 | grep 'Jobs have'; ` +
      `docker exec plain teleport run id -u; ${daemonOf("plain")}; docker rm -f plain >/dev/null`,
    "alice",
  );
  report.finding(
    "a rootless container runs jobs, without cgroups, and a daemon does not get away",
    /have no cgroups \([^]*^0$[^]*^daemons: 0$/m.test(plain.text),
    plain.text,
  );
}
