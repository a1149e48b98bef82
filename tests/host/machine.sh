#!/bin/sh
# Debian in a virtual machine: systemd as PID 1, cgroup v2 with all controllers, podman, and its own kernel.
#   machine.sh build             makes DIR/disk.img in about 4 minutes; needs root, apt and network
#   machine.sh start             boots a copy of it in about 30 s; the copy is deleted by stop
#   machine.sh ssh USER COMMAND  runs a command there; its exit code is this one's
#   machine.sh put FILE DEST     copies a file or a directory there
#   machine.sh reset             turns the power off and on again
#   machine.sh stop              ends it
# HOST_DIR has all files. HOST_PORT on loopback leads to its ssh. The processor is emulated, because few machines of a CI
# have a usable KVM, so everything takes about ten times longer. The guest has no network.
set -eu
dir=${HOST_DIR:?}
port=${HOST_PORT:-0}
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,linux-image-amd64,iproute2,iptables,util-linux,procps
packages=$packages,kmod,udev,openssh-server,ca-certificates,podman,crun,netavark,aardvark-dns,nftables,netbase
packages=$packages,uidmap,slirp4netns,fuse-overlayfs
key=$dir/key
options="-i $key -o ConnectTimeout=30 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"

# Makes the parts of the base images of the Dockerfile: the file system of debian:bookworm-slim as a layer, and the program
# that replaces Deno's runtime. The build in the guest has no network, so the layer has all packages.
base_images() {
  debootstrap --variant=minbase --include=tini bookworm "$dir/base" "$mirror" >>"$dir/debootstrap.log" 2>&1
  : >"$dir/base/etc/apt/sources.list"
  rm -rf "$dir"/base/var/cache/apt/archives/*.deb "$dir"/base/var/lib/apt/lists/*
  install -d "$root/var/lib/teleport-images"
  tar -C "$dir/base" -cf "$root/var/lib/teleport-images/debian.tar" .
  rm -rf "$dir/base"
  cc -O2 -static -o "$root/usr/local/lib/denort" "$(dirname "$0")/standin.c"
}

boot() {
  qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 4096 -smp 2 -display none -no-reboot -daemonize \
    -serial "file:$dir/console.log" -pidfile "$dir/qemu.pid" \
    -kernel "$dir/vmlinuz" -initrd "$dir/initrd.img" -append "root=/dev/vda rw console=ttyS0 quiet" \
    -drive "file=$dir/run.img,if=virtio,format=qcow2" -device virtio-rng-pci \
    -netdev "user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=n
  i=0
  until ssh -p "$port" $options root@127.0.0.1 true 2>/dev/null; do
    i=$((i + 1))
    [ "$i" -lt 90 ] || { tail -n 20 "$dir/console.log"; exit 1; }
    sleep 2
  done
}

power_off() {
  pid=$(cat "$dir/qemu.pid")
  kill -KILL "$pid"
  # It is not a child of this shell, so the loop waits for its directory in /proc to go away.
  while [ -d "/proc/$pid" ]; do sleep 0.1; done
  rm -f "$dir/qemu.pid"
}

case ${1:-} in
build)
  mkdir -p "$dir"
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends qemu-system-x86 qemu-utils debootstrap openssh-client e2fsprogs gcc \
    libc6-dev >"$dir/apt.log" 2>&1
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/$' | head -n 1)
  root=$dir/root
  debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror" >"$dir/debootstrap.log" 2>&1
  [ -f "$key" ] || ssh-keygen -q -t ed25519 -N '' -f "$key"
  install -d -m 700 "$root/root/.ssh"
  install -m 600 "$key.pub" "$root/root/.ssh/authorized_keys"
  printf '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/80-dhcp.network"
  echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
  echo host >"$root/etc/hostname"
  chroot "$root" systemctl enable -q systemd-networkd ssh
  cp "$root"/boot/vmlinuz-* "$dir/vmlinuz"
  cp "$root"/boot/initrd.img-* "$dir/initrd.img"
  base_images
  truncate -s 10G "$dir/disk.part"
  mkfs.ext4 -q -d "$root" "$dir/disk.part"
  mv "$dir/disk.part" "$dir/disk.img"
  rm -rf "$root"
  ;;
start)
  rm -f "$dir/run.img"
  qemu-img create -q -f qcow2 -b disk.img -F raw "$dir/run.img"
  boot
  ;;
reset)
  power_off
  boot
  ;;
ssh)
  exec ssh -p "$port" $options "$2@127.0.0.1" "$3"
  ;;
put)
  exec scp -q -r -P "$port" $options "$2" "root@127.0.0.1:$3"
  ;;
stop)
  power_off
  rm -f "$dir/run.img"
  ;;
*)
  sed -n '2,10s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
