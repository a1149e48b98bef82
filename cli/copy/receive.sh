# Unpacks the tar archive of send.sh from stdin. It prints the SHA-256 of the archive and waits for SIGUSR1, which confirms
# it. Only then the files appear under their names, and their path is printed. In every other case, nothing stays.
# This needs POSIX tools, mktemp and sha256sum.
#
# $1: file or directory.
# $2: the destination.
# $3: the name in it, if it is a directory. It is "." for the directory itself.
# $4: the minutes without progress after which the copy ends. 0: never.
#
# The archive may be hostile. It is unpacked into a new directory that nobody else can enter. There tar(1) writes neither
# to absolute paths, nor above, nor through symbolic links of the archive. GNU tar, BusyBox and bsdtar were tried. The files
# are then renamed to their places, and never through a symbolic link that is there.
set -u
LC_ALL=C; export LC_ALL
unset CDPATH
umask 022
kind=$1 destination=$2 name=$3 idle=$4
fail() { printf '%s\n' "$1" >&2; exit 1; }
case $destination in /*) ;; *) destination=./$destination ;; esac
if [ -d "$destination" ]; then target=${destination%/}/$name
else
  case $destination in */) fail "'$2' is not a directory" ;; esac
  target=$destination
fi
parent=${target%/*}/
[ -d "$parent" ] || fail "the directory '$parent' does not exist"
# Prints why an entry of a kind cannot become a path. The path is never followed when it is a symbolic link.
conflict() {
  if [ -L "$2" ]; then
    if [ "$1" = directory ]; then printf "'%s' is a symbolic link\n" "$2"; fi
  elif [ -d "$2" ]; then
    if [ "$1" != directory ]; then printf "'%s' is a directory\n" "$2"; fi
  elif [ -e "$2" ]; then
    if [ "$1" = directory ]; then printf "'%s' is not a directory\n" "$2"
    elif [ ! -f "$2" ]; then printf "'%s' is neither a file nor a directory\n" "$2"; fi
  fi
}
problem=$(conflict "$kind" "$target")
[ -z "$problem" ] || fail "$problem"
stage=
watcher=
sleeper=
# Removes the stage. tar(1) may still write to it, and then rm(1) fails.
clean() {
  tries=0
  until chmod -R u+rwx "$stage" 2>/dev/null; rm -rf "$stage" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || break
    sleep 1
  done
}
trap 'trap - EXIT; [ -z "$watcher" ] || kill "$watcher" 2>/dev/null; [ -z "$sleeper" ] || kill -9 "$sleeper" 2>/dev/null; [ -z "$stage" ] || clean' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
stage=$(mktemp -d "${parent}.teleport-cp.XXXXXXXXXX") || exit 1
confirmed=
# A signal just before "wait" does not interrupt it, but "wait" ends with the program that it waits for.
trap 'confirmed=yes; [ -z "$sleeper" ] || kill -9 "$sleeper" 2>/dev/null' USR1
data=$stage/data
mkdir "$data" && mkfifo "$stage/copy" || exit 1
if [ "$idle" -gt 0 ]; then
  (
    trap - EXIT; trap '' USR1; trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM
    quiet=0 before=
    while [ "$quiet" -lt "$idle" ]; do
      sleep 60 & sleeper=$!; wait "$sleeper"
      now=$(du -sk "$stage" 2>/dev/null)
      if [ "$now" = "$before" ]; then quiet=$((quiet + 1)); else quiet=0; fi
      before=$now
    done
    kill -TERM $$
  ) < /dev/null > /dev/null 2>&1 &
  watcher=$!
fi
digest() { if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi; }
# Prints the free kilobytes of the disk.
free() { df -P -k "$stage" 2>/dev/null | { read -r _; read -r _ _ _ available _; echo "${available:-1}"; }; }
exec 3<&0
tee "$stage/copy" <&3 | { tar -x -p -o -f - -C "$data" && cat > /dev/null; } &
unpacking=$!
sum=$(digest < "$stage/copy" | cut -c 1-64)
if ! wait "$unpacking"; then
  if [ "$(free)" -lt 16 ]; then fail "no space is left on the disk of '$parent'"; fi
  exit 1
fi
exec 3<&-
if [ -n "$(find "$data" ! -type d ! -type f ! -type l -print | head -n 1)" ]; then
  find "$data" ! -type d ! -type f ! -type l -exec rm -f {} +
  printf 'devices, pipes and sockets are left out\n' >&2
fi
find "$data" -type f \( -perm -4000 -o -perm -2000 \) -exec chmod ug-s {} +
sleep 600 > /dev/null 2>&1 &
sleeper=$!
printf '%s\n' "$sum"
wait "$sleeper" 2>/dev/null
[ -n "$confirmed" ] || fail "the copy was not confirmed"
kind_of() { if [ -d "$1" ] && [ ! -L "$1" ]; then echo directory; else echo file; fi; }
move() {
  if [ -L "$2" ]; then rm -f "$2" || return 1; fi
  if [ "$(kind_of "$1")" = file ] || [ -w "$1" ]; then mv -f "$1" "$2"
  else chmod u+w "$1" && mv -f "$1" "$2" && chmod u-w "$2"; fi
}
# Merges a directory into another one: first "check" for all of it, then "move".
merge() (
  if [ "$1" = move ]; then
    time=$(mktemp "$stage/time.XXXXXXXXXX") && touch -r "$2" "$time" && chmod u+rwx "$2" || exit 1
  fi
  for entry in "$2"/* "$2"/.[!.]* "$2"/..?*; do
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    kind=$(kind_of "$entry") to=$3/${entry##*/}
    if [ "$1" = check ]; then
      problem=$(conflict "$kind" "$to")
      [ -z "$problem" ] || fail "$problem"
    fi
    if [ "$kind" = directory ] && [ -d "$to" ]; then merge "$1" "$entry" "$to" || exit 1
    elif [ "$1" = move ]; then move "$entry" "$to" || exit 1
    fi
  done
  if [ "$1" = move ]; then touch -r "$time" "$3" 2>/dev/null; fi
  exit 0
)
if [ "$kind" = directory ]; then
  if [ -d "$target" ]; then merge check "$data" "$target" && merge move "$data" "$target" || exit 1
  else move "$data" "$target" || exit 1
  fi
else
  only=
  for entry in "$data"/* "$data"/.[!.]* "$data"/..?*; do
    [ -f "$entry" ] && [ ! -L "$entry" ] || continue
    [ -z "$only" ] || fail "more than one file came"
    only=$entry
  done
  [ -n "$only" ] || fail "no file came"
  problem=$(conflict file "$target")
  [ -z "$problem" ] || fail "$problem"
  move "$only" "$target" || exit 1
fi
printf '%s\n' "$target"
