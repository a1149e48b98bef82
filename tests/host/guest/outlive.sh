#!/bin/sh
# Runs in the machine. Jobs that must not notice what happens to their server:
#   outlive.sh start COUNT   starts them: one with input, one paused, one with limits, the others count; and watchers
#   outlive.sh check         lets them end, and prints each that noticed something; the last line has the totals
# Watchers and the sender of the input run through all outages, as those of users do.
set -eu
dir=/root/outlive
counting=/usr/local/bin/counting
# The outages of an emulated machine are long.
retry="--retry-for 10m"

# Runs a command in the background. Its exit code goes to a file.
behind() {
  name=$1
  shift
  (code=0; "$@" >"$dir/$name.out" 2>"$dir/$name.err" || code=$?; echo "$code" >"$dir/$name.code") </dev/null >/dev/null 2>&1 &
}

start() {
  rm -rf "$dir" /var/tmp/outlive
  mkdir -p "$dir"
  mkdir -m 755 /var/tmp/outlive
  install -m 755 /srv/teleport/tests/host/guest/counting.pl "$counting"
  teleport run -d --stdin cat >"$dir/input.id"
  teleport run -d "$counting" >"$dir/paused.id"
  teleport run -d --memory 64MiB --pids 5 --cpus 0.5 "$counting" >"$dir/limited.id"
  i=3
  while [ "$i" -lt "$1" ]; do
    i=$((i + 1))
    teleport run -d "$counting" >"$dir/count-$i.id"
  done
  teleport pause "$(cat "$dir/paused.id")" >/dev/null
  # A command tries again only after its first connection, which must not take 10 seconds. So they start one by one.
  for watched in input paused limited count-4; do
    [ -e "$dir/$watched.id" ] || continue
    behind "watch-$watched" teleport logs -f $retry "$(cat "$dir/$watched.id")"
    # Nothing is sent to the input yet.
    [ "$watched" = input ] || await "$dir/watch-$watched.out"
  done
  (send) </dev/null >/dev/null 2>&1 &
  await "$dir/watch-input.out"
  behind wait teleport wait $retry "$(cat "$dir/limited.id")"
  ids >"$dir/ids"
  teleport --output json list --state RUNNING | grep -o '"pid":[0-9]*' | sort >"$dir/pids"
}

# Sends a line a second to the job with input, and keeps a copy.
send() {
  code=0
  (
    i=0
    until [ -e /var/tmp/outlive/go ]; do
      i=$((i + 1))
      echo "sent $i"
      sleep 1
    done
  ) | tee "$dir/sent" | teleport input $retry "$(cat "$dir/input.id")" 2>"$dir/sender.err" || code=$?
  echo "$code" >"$dir/sender.code"
}

ids() {
  cat "$dir"/*.id
}

# Prints a fault.
fault() {
  faults=$((faults + 1))
  echo "fault: $*"
}

# Waits until a file has content.
await() {
  i=0
  until [ -s "$1" ]; do
    i=$((i + 1))
    [ "$i" -lt 180 ] || return 0
    sleep 1
  done
}

check() {
  faults=0
  teleport --output json list --state RUNNING | grep -o '"pid":[0-9]*' | sort >"$dir/pids.now"
  grep -vxFf "$dir/pids.now" "$dir/pids" && fault "these processes are gone"
  limited=$(teleport --output json status "$(cat "$dir/limited.id")" | grep -o '"pid":[0-9]*' | head -n 1 | cut -d : -f 2)
  cgroup=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$limited/cgroup")
  [ "$(cat "$cgroup/memory.max" "$cgroup/pids.max" "$cgroup/cpu.max" | tr '\n' ' ')" = "67108864 5 50000 100000 " ] ||
    fault "the limits are $(cat "$cgroup/memory.max" "$cgroup/pids.max" "$cgroup/cpu.max")"
  teleport --output json status "$(cat "$dir/paused.id")" | grep -q '"paused":true' || fault "the paused job is not paused"
  teleport resume "$(cat "$dir/paused.id")" >/dev/null || fault "the paused job cannot be resumed"
  sleep 3
  : >/var/tmp/outlive/go
  await "$dir/sender.code"
  await "$dir/wait.code"
  # Nobody else ends the input of this job.
  [ "$(cat "$dir/sender.code")" = 0 ] || teleport stop "$(cat "$dir/input.id")" >/dev/null || true
  for file in "$dir"/*.id; do
    name=$(basename "$file" .id)
    code=0
    teleport logs -f "$(cat "$file")" >"$dir/$name.log" 2>"$dir/$name.err" || code=$?
    case $name in
    input)
      cmp "$dir/sent" "$dir/$name.log" >&2 || fault "$name: its output is not its input"
      ;;
    *)
      count=$(($(wc -l <"$dir/$name.log") - 1))
      { seq "$count"; echo 'signals: '; } | cmp - "$dir/$name.log" >&2 || fault "$name: $(tail -n 2 "$dir/$name.log")"
      ;;
    esac
    [ "$code" = 0 ] || fault "$name: logs ended with $code, $(cat "$dir/$name.err")"
    if [ -e "$dir/watch-$name.out" ]; then
      await "$dir/watch-$name.code"
      cmp "$dir/watch-$name.out" "$dir/$name.log" >&2 || fault "$name: its watcher saw other output"
      [ "$(cat "$dir/watch-$name.code")" = 0 ] ||
        fault "$name: its watcher ended with $(cat "$dir/watch-$name.code" "$dir/watch-$name.err")"
    fi
  done
  [ "$(cat "$dir/sender.code")" = 0 ] || fault "the sender ended with $(cat "$dir/sender.code" "$dir/sender.err")"
  [ "$(cat "$dir/wait.code")" = 7 ] || fault "wait ended with $(cat "$dir/wait.code" "$dir/wait.err")"
  codes=$(teleport --output json list | grep -Ff "$dir/ids" | grep -o '"exit_code":[0-9]*' | sort | uniq -c | tr -s '\n ' ' ')
  echo "jobs $(wc -l <"$dir/ids"), faults $faults, lines $(cat "$dir"/*.log | wc -l), exit codes$codes"
}

"$@"
