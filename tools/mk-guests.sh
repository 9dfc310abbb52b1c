#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes guests for boot tests and the demo from Debian's packages: nothing in them is run, the machine's own packages
# stay as they are.  Made once; later calls return at once.
# usage: tools/mk-guests.sh DIR [linux] [di] [fw]
#   DIR/linux/arm64/{vmlinuz,initrd.gz}   Debian's kernel, a ramdisk that tests itself (tests/boot/guest-init)
#   DIR/di/arm64/{linux,initrd.gz}        Debian's installer
#   DIR/fw/{QEMU_EFI-aarch64,AAVMF_CODE,AAVMF_VARS}.fd   UEFI firmware
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
D=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- linux di fw
. "$here/apt-private.sh"

modules="virtio_pci virtio_mmio virtio_blk virtio_net virtio_scsi virtio_console virtio_rng virtio_balloon 9p
9pnet_virtio ahci sd_mod sr_mod isofs ext4 vfat nls_ascii nls_cp437 e1000 e1000e nvme rtc-pl031 loop"

# fetch PACKAGE: unpacked below DIR/.unpack; prints where.
fetch() {
    local u=$D/.unpack/$1
    if [ ! -e "$u.ok" ]; then
        rm -rf "$u"
        mkdir -p "$u" "$D/.debs"
        if [ ! -e "$D/.apt/arm64" ]; then
            apt_private "$D/.apt" "deb bookworm"
            echo 'APT::Architecture "arm64"; APT::Architectures { "arm64"; "all"; };' >> "$D/.apt/apt.conf"
            apt-get -qq update >&2
            : > "$D/.apt/arm64"
        fi
        export APT_CONFIG=$D/.apt/apt.conf
        echo "fetching $1" >&2
        (cd "$D/.debs" && apt-get -qq download "$1" >&2)
        dpkg-deb -x "$D/.debs/$1"_*.deb "$u"
        : > "$u.ok"
    fi
    echo "$u"
}

# The package that the meta package stands for today.
kernel_package() {
    fetch linux-image-arm64 > /dev/null
    dpkg-deb -f "$D"/.debs/linux-image-arm64_*.deb Depends | sed -n 's/^\(linux-image-[0-9][^ ]*\).*/\1/p'
}

mk_linux() {
    local o=$D/linux/arm64 pkg kernel busybox version tree r=$D/.unpack/ramdisk file
    pkg=$(kernel_package)
    kernel=$(fetch "$pkg")
    busybox=$(fetch busybox-static)
    version=${pkg#linux-image-}
    tree=$kernel/lib/modules/$version
    rm -rf "$r"
    mkdir -p "$o" "$r"/{bin,proc,sys,dev,tmp} "$r/lib/modules/$version"
    cp "$busybox/bin/busybox" "$r/bin/"
    cp "$here/../tests/boot/guest-init" "$r/init"
    chmod 755 "$r/init"
    cp "$tree"/modules.order "$tree"/modules.builtin* "$r/lib/modules/$version/"
    depmod -b "$kernel" "$version"
    for module in $modules; do
        modprobe -d "$kernel" -S "$version" -D "$module" 2>/dev/null || true
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
        file=${file#*"/lib/modules/$version/"}
        mkdir -p "$r/lib/modules/$version/${file%/*}"
        cp "$tree/$file" "$r/lib/modules/$version/$file"
    done
    depmod -b "$r" "$version"
    cp "$kernel/boot/vmlinuz-$version" "$o/vmlinuz"
    (cd "$r" && find . | sort | cpio -o -H newc -R 0:0 --quiet | gzip -n) > "$o/initrd.gz"
}

mk_di() {
    local o=$D/di/arm64 u
    u=$(fetch debian-installer-12-netboot-arm64)/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64
    mkdir -p "$o"
    cp "$u/linux" "$u/initrd.gz" "$o/"
}

mk_fw() {
    local u
    u=$(fetch qemu-efi-aarch64)/usr/share
    mkdir -p "$D/fw"
    cp "$u/qemu-efi-aarch64/QEMU_EFI.fd" "$D/fw/QEMU_EFI-aarch64.fd"
    cp "$u"/AAVMF/AAVMF_{CODE,VARS}.fd "$D/fw/"
}

for what; do
    case $what in
    linux|di|fw) [ -e "$D/$what.ok" ] || { "mk_$what"; : > "$D/$what.ok"; } ;;
    *) echo "mk-guests.sh: unknown guest '$what': want linux, di or fw" >&2; exit 2 ;;
    esac
done
