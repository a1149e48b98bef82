# Writes a file or a directory to stdout: one line, "teleport-cp KIND BYTES", then a tar archive. A directory is "." in the
# archive, and a file is "./NAME". BYTES is an estimate. This needs POSIX tools and tar.
#
# $1: the path. A symbolic link is followed there, and nowhere below
set -u
LC_ALL=C; export LC_ALL
unset CDPATH
fail() { printf '%s\n' "$1" >&2; exit 1; }
source=$1
case $source in /*) ;; *) source=./$source ;; esac
if [ -d "$source" ]; then
  cd "$source" || exit 1
  size=$(du -sk . 2>/dev/null | cut -f 1)
  printf 'teleport-cp directory %s\n' "$((${size:-0} * 1024))"
  exec tar -c -f - .
fi
[ -L "$source" ] && [ ! -e "$source" ] && fail "'$1' is a symbolic link to nothing"
[ -e "$source" ] || fail "'$1' does not exist"
[ -f "$source" ] || fail "'$1' is neither a file nor a directory"
[ -r "$source" ] || fail "'$1' cannot be read: permission denied"
cd "${source%/*}/" || exit 1
size=$(stat -L -c %s "./${source##*/}" 2>/dev/null || wc -c < "./${source##*/}")
printf 'teleport-cp file %s\n' "$((size))"
exec tar -c -h -f - "./${source##*/}"
