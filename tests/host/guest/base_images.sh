#!/bin/sh
# Runs in the machine. It loads the two base images of the Dockerfile, as an archive in the form of docker-save(1). Both
# have the layer of Debian. The second adds deno, and the replacement of its runtime.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ln /var/lib/teleport-images/debian.tar debian.tar
mkdir -p layer/usr/bin layer/usr/local/lib
cp /usr/local/bin/deno layer/usr/bin/
cp /usr/local/lib/denort layer/usr/local/lib/
tar -C layer -cf deno.tar .
rm -rf layer
debian=$(sha256sum debian.tar | cut -d ' ' -f 1)
deno=$(sha256sum deno.tar | cut -d ' ' -f 1)

config() {
  printf '{"architecture":"amd64","os":"linux","config":{"Env":[%s],"Cmd":["bash"]},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
    "$1" "$2"
}
path='"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'
config "$path" "\"sha256:$debian\"" >debian.json
config "$path,\"DENO_DIR=/deno-dir\",\"DENORT_BIN=/usr/local/lib/denort\"" "\"sha256:$debian\",\"sha256:$deno\"" >deno.json
cat >manifest.json <<JSON
[{"Config":"debian.json","RepoTags":["docker.io/library/debian:bookworm-slim"],"Layers":["debian.tar"]},
 {"Config":"deno.json","RepoTags":["docker.io/denoland/deno:2.9.6"],"Layers":["debian.tar","deno.tar"]}]
JSON
tar -cf images.tar manifest.json debian.json deno.json debian.tar deno.tar
podman load -q -i images.tar
