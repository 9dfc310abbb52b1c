#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a whole Debian system for a machine to boot: mmdebstrap installs it, the target's own programs run under Emu's
# user mode.  Made once; later calls return at once.  Log in as root, password "root".
# usage: tools/mk-disk.sh EMULATOR DIR       (EMULATOR: build/qemu-aarch64)
# Result: DIR/root.img (ext4, sparse), DIR/vmlinuz, DIR/initrd.img
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
emu=$(readlink -f "$1") dir=$2

system=systemd-sysv,udev,dbus,kmod,linux-image-arm64,initramfs-tools,zstd,login,passwd,e2fsprogs,util-linux
network=iproute2,iputils-ping,isc-dhcp-client,ifupdown,iperf3
work=gcc,libc6-dev,make,openssl,python3-minimal,stress-ng,procps,pciutils
packages=$system,$network,$work
size=3G

stamp=$dir/.complete
key=$(echo "$packages $size" | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then exit 0; fi
[ "$(id -u)" = 0 ] || { echo "mk-disk.sh: needs root (owners of files, a binfmt_misc of its own)" >&2; exit 1; }

start=$SECONDS
echo "making a Debian arm64 disk in $dir (takes some minutes)" >&2
rm -rf "$dir"
mkdir -p "$dir/root" "$dir/tcache"
chmod 755 "$dir" "$dir/root"
chmod 700 "$dir/tcache"
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
    grep ' bookworm' | sort -u > "$dir/sources"
[ -s "$dir/sources" ] || { echo "mk-disk.sh: apt knows no Debian archive" >&2; exit 1; }
export emu dir packages
# A user namespace where every number stands for itself has a binfmt_misc of its own (Linux 6.7 and later).
mkfifo "$dir/mapped"
unshare -Ump --fork --propagation private bash -ec '
read -r _ < "$dir/mapped"
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf "%s" ":aarch64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$emu:POCF" \
    > /proc/sys/fs/binfmt_misc/register
quiet=; [ -t 2 ] || quiet=--quiet
mmdebstrap $quiet --mode=root --variant=minbase --architectures=arm64 --include="$packages" \
    --skip=check/qemu,check/empty,chroot/mount/sys,output/dev --aptopt="Acquire::Retries \"5\"" \
    --aptopt="Apt::Install-Recommends \"false\"" \
    --dpkgopt=path-exclude="/usr/share/man/*" --dpkgopt=path-exclude="/usr/share/doc/*" \
    --dpkgopt=path-exclude="/usr/share/locale/*" \
    --customize-hook="echo root:root | chroot \"\$1\" chpasswd" \
    --customize-hook="echo guest > \"\$1/etc/hostname\"" \
    --customize-hook="echo /dev/vda / ext4 errors=remount-ro 0 1 > \"\$1/etc/fstab\"" \
    --customize-hook="printf \"auto lo\niface lo inet loopback\nallow-hotplug eth0\niface eth0 inet dhcp\n\" > \"\$1/etc/network/interfaces\"" \
    "" "$dir/root" - < "$dir/sources"
' &
until [ "$(readlink /proc/$!/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.05; done
echo "0 0 65536" > "/proc/$!/uid_map"
echo "0 0 65536" > "/proc/$!/gid_map"
echo > "$dir/mapped"
wait $!
cp -L "$dir/root/vmlinuz" "$dir/vmlinuz"
cp -L "$dir/root/initrd.img" "$dir/initrd.img"
rm -f "$dir/root.img"
mke2fs -q -t ext4 -L guestroot -E root_owner=0:0 -d "$dir/root" "$dir/root.img" "$size"
rm -rf "$dir/root" "$dir/tcache" "$dir/sources" "$dir/mapped"
echo "$key" > "$stamp"
echo "$dir: $(du -sh "$dir" | cut -f1), $((SECONDS - start)) s" >&2
