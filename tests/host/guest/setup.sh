#!/bin/sh
# Runs once in the machine. It installs the runtime, its cache and the repository, which main.ts has put in /root. Then it
# makes the programs, as `deno compile` would, and replacements for commands of the documents that are missing.
set -eu
mkdir -p /srv/teleport /usr/local/lib/standin/deno_dir
tar -xzf /root/tree.tgz -C /srv/teleport
tar -xzf /root/cache.tgz -C /usr/local/lib/standin/deno_dir
install -m 755 /root/deno /usr/local/bin/deno
ln -sfn /usr/local/bin/deno /usr/local/lib/standin/deno
ln -sfn /srv/teleport /usr/local/lib/standin/src
chmod -R a+rX,u+w /srv /usr/local/lib/standin
mkdir -p /srv/teleport/dist
install -m 755 /usr/local/lib/denort /srv/teleport/dist/teleportd
install -m 755 /usr/local/lib/denort /srv/teleport/dist/teleport
install -m 755 /usr/local/lib/denort /usr/local/bin/teleport

# The emulated processor may need longer than 90 s to start a server while other programs use the machine.
mkdir -p /etc/systemd/system.conf.d
printf '[Manager]\nDefaultTimeoutStartSec=10min\n' >/etc/systemd/system.conf.d/slow.conf
systemctl daemon-reexec

# Replaces npx for `npx -y deno@2.9.6 task certs …`.
cat >/usr/local/bin/npx <<'NPX'
#!/bin/sh
shift 2
export DENO_DIR=/usr/local/lib/standin/deno_dir DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1
exec deno "$@"
NPX
printf '#!/bin/sh\nexec "$@"\n' >/usr/local/bin/sudo
# The replacement of docker mounts Deno and the sources in each container. The build takes packages from the cache.
cat >/usr/local/bin/docker <<'DOCKER'
#!/bin/sh
standin=/usr/local/lib/standin
mounts="-v $standin/deno_dir:$standin/deno_dir:ro -v /srv/teleport:$standin/src:ro -v /usr/local/bin/deno:$standin/deno:ro"
action=$1
shift
case $action in
run) exec podman run $mounts "$@" ;;
build) exec podman build --format docker --network none --layers=false -v $standin/deno_dir:/deno-dir "$@" ;;
*) exec podman "$action" "$@" ;;
esac
DOCKER
chmod 755 /usr/local/bin/npx /usr/local/bin/sudo /usr/local/bin/docker
