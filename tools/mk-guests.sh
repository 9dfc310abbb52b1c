#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes guests for boot tests and the demo from Debian's packages: nothing in them is run, the machine's own packages
# stay as they are.  Made once; later calls return at once.
# usage: tools/mk-guests.sh DIR [linux] [di] [fw] [grub]
#   DIR/linux/arm64/{vmlinuz,initrd.gz}   Debian's kernel, a ramdisk that tests itself (tests/boot/guest-init)
#   DIR/di/arm64/{linux,initrd.gz}        Debian's installer
#   DIR/grub/{cd.iso,disk.img}            GRUB for UEFI, which boots that kernel, on a CD and on a disk with an EFI partition
#   DIR/fw/{QEMU_EFI-aarch64,AAVMF_CODE,AAVMF_VARS}.fd   UEFI firmware
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
D=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- linux di fw grub
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

# GRUB says GRUB-OK, and boots the kernel and ramdisk that lie beside it.
grub_config() {
    cat <<'C'
set timeout=1
set default=0
echo GRUB-OK $grub_cpu-$grub_platform
menuentry "Linux" {
    linux /boot/vmlinuz console=ttyAMA0 guest=
    initrd /boot/initrd.gz
}
C
}

mk_grub() {
    local o=$D/grub from w=$D/.unpack/grub
    [ -e "$D/linux.ok" ] || { mk_linux; : > "$D/linux.ok"; }
    from=$(fetch grub-efi-arm64-bin)/usr/lib/grub/arm64-efi
    rm -rf "$w"
    mkdir -p "$o" "$w/cd/boot/grub"
    cp "$D"/linux/arm64/{vmlinuz,initrd.gz} "$w/cd/boot/"
    grub_config > "$w/cd/boot/grub/grub.cfg"
    grub-mkrescue -d "$from" -o "$o/cd.iso" "$w/cd" -- -volid GRUBCD 2> "$w/log" || { cat "$w/log" >&2; return 1; }
    printf 'search --no-floppy --file --set=root /boot/vmlinuz\nset prefix=($root)/boot/grub\nconfigfile ($root)/boot/grub/grub.cfg\n' \
        > "$w/early.cfg"
    grub-mkimage -d "$from" -O arm64-efi -o "$w/bootaa64.efi" -p /boot/grub -c "$w/early.cfg" \
        part_gpt fat normal linux echo search search_fs_file configfile
    truncate -s 94M "$w/esp"
    mkfs.vfat -n ESP "$w/esp" > "$w/log"
    mmd -i "$w/esp" ::EFI ::EFI/BOOT ::boot ::boot/grub
    mcopy -i "$w/esp" "$w/bootaa64.efi" ::EFI/BOOT/BOOTAA64.EFI
    mcopy -i "$w/esp" "$w/cd/boot/vmlinuz" "$w/cd/boot/initrd.gz" ::boot/
    mcopy -i "$w/esp" "$w/cd/boot/grub/grub.cfg" ::boot/grub/
    rm -f "$o/disk.img"
    truncate -s 96M "$o/disk.img"
    printf 'label: gpt\n2048,%s,U\n' $((94 * 2048)) | sfdisk -q "$o/disk.img"
    dd if="$w/esp" of="$o/disk.img" bs=1M seek=1 conv=notrunc,sparse status=none
    rm -rf "$w"
}

for what; do
    case $what in
    linux|di|fw|grub) [ -e "$D/$what.ok" ] || { "mk_$what"; : > "$D/$what.ok"; } ;;
    *) echo "mk-guests.sh: unknown guest '$what': want linux, di, fw or grub" >&2; exit 2 ;;
    esac
done
