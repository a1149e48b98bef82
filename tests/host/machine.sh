#!/bin/sh
# A real Debian host in a virtual machine: systemd as PID 1, cgroup v2 with every controller, a kernel of its own.
#   machine.sh build          makes DIR/disk.img in about 4 minutes; needs root and apt
#   machine.sh start          boots a copy of it in about 30 s; what is written there is gone when it stops
#   machine.sh ssh COMMAND…   runs a command there as root; its exit code is this one's
#   machine.sh put FILE DEST  copies a file there
#   machine.sh stop           ends it
# HOST_DIR is where all of it lives, HOST_PORT the port of loopback that leads to its ssh. The processor is emulated, for
# few machines of a CI have a usable KVM: everything takes about ten times longer. The guest reaches no network.
set -eu
dir=${HOST_DIR:?}
port=${HOST_PORT:-0}
packages=systemd,systemd-sysv,dbus,linux-image-amd64,iproute2,util-linux,procps,kmod,udev,openssh-server,ca-certificates
key=$dir/key
options="-i $key -o ConnectTimeout=30 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"

case ${1:-} in
build)
  mkdir -p "$dir"
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends qemu-system-x86 debootstrap openssh-client e2fsprogs >"$dir/apt.log" 2>&1
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/$' | head -n 1)
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  root=$dir/root
  debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror" >"$dir/debootstrap.log" 2>&1
  [ -f "$key" ] || ssh-keygen -q -t ed25519 -N '' -f "$key"
  install -d -m 700 "$root/root/.ssh"
  install -m 600 "$key.pub" "$root/root/.ssh/authorized_keys"
  printf '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/80-dhcp.network"
  echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
  echo host >"$root/etc/hostname"
  chroot "$root" systemctl enable -q systemd-networkd ssh
  cp "$root"/boot/vmlinuz-* "$dir/vmlinuz"
  cp "$root"/boot/initrd.img-* "$dir/initrd.img"
  truncate -s 8G "$dir/disk.part"
  mkfs.ext4 -q -d "$root" "$dir/disk.part"
  mv "$dir/disk.part" "$dir/disk.img"
  rm -rf "$root"
  ;;
start)
  qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 4096 -smp 2 -display none -no-reboot -daemonize \
    -serial "file:$dir/console.log" -pidfile "$dir/qemu.pid" \
    -kernel "$dir/vmlinuz" -initrd "$dir/initrd.img" -append "root=/dev/vda rw console=ttyS0 quiet" \
    -drive "file=$dir/disk.img,if=virtio,format=raw,snapshot=on" -device virtio-rng-pci \
    -netdev "user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=n
  i=0
  until "$0" ssh true 2>/dev/null; do
    i=$((i + 1))
    [ "$i" -lt 90 ] || { tail -n 20 "$dir/console.log"; exit 1; }
    sleep 2
  done
  ;;
ssh) shift; exec ssh -p "$port" $options root@127.0.0.1 "$@" ;;
put) exec scp -q -P "$port" $options "$2" "root@127.0.0.1:$3" ;;
stop) kill "$(cat "$dir/qemu.pid")" ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
