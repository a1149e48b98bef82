#!/bin/sh
# In the machine: unit.sh start USER | teleport USER ARG… | test USER FILE… | stop USER.
# The server in a systemd unit as that user, its command line, and tests of the library in a unit of their own.
set -eu
action=$1
user=$2
shift 2
unit=teleportd-$user
home=/var/lib/$unit
export DENO_DIR=/var/cache/deno NO_COLOR=1 DENO_NO_UPDATE_CHECK=1
cd /srv/teleport

case $action in
start)
  id -u "$user" >/dev/null 2>&1 || useradd -r "$user"
  cat >"/etc/systemd/system/$unit.service" <<UNIT
[Service]
User=$user
Delegate=yes
StateDirectory=$unit
WorkingDirectory=/srv/teleport
Environment=DENO_DIR=$DENO_DIR HOME=$home NO_COLOR=1
ExecStart=/usr/local/bin/deno run -q -A --no-check --cached-only server.ts --init-certs --listen 127.0.0.1:50051 --certs $home/certs --data $home/data
UNIT
  systemctl daemon-reload
  systemctl start "$unit"
  i=0
  until journalctl -u "$unit" -o cat --no-pager | grep -q '^listening on '; do
    i=$((i + 1))
    [ "$i" -lt 90 ] || { journalctl -u "$unit" -o cat --no-pager; exit 1; }
    sleep 1
  done
  journalctl -u "$unit" -o cat --no-pager | grep 'cgroups'
  ;;
teleport)
  HOME=$home exec deno run -q -P=cli --no-check --cached-only --no-prompt cli.ts --certs "$home/certs" \
    --address 127.0.0.1:50051 "$@"
  ;;
test)
  exec systemd-run -q --pipe --wait --collect -p Delegate=yes -p User="$user" -p WorkingDirectory=/srv/teleport \
    -E HOME="$home" -E DENO_DIR=$DENO_DIR -E NO_COLOR=1 -E PATH=/usr/local/bin:/usr/bin:/bin \
    /usr/local/bin/deno test --cached-only --no-check -A "$@"
  ;;
stop)
  systemctl stop "$unit"
  [ ! -d "/sys/fs/cgroup/system.slice/$unit.service" ] && echo 'no cgroup is left'
  ;;
esac
