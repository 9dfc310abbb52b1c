#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes guests for boot tests and the demo from Debian's packages: nothing in them is run, the machine's own packages
# stay as they are.  Made once; later calls return at once.
# usage: tools/mk-guests.sh DIR [linux] [di] [fw] [grub] [linux-pc] [di-pc] [fw-pc] [iso] [loaders-pc]
#   DIR/linux/arm64/{vmlinuz,initrd.gz}   Debian's kernel, a ramdisk that tests itself (tests/boot/guest-init)
#   DIR/di/arm64/{linux,initrd.gz}        Debian's installer
#   DIR/grub/{cd.iso,disk.img}            GRUB for UEFI, which boots that kernel, on a CD and on a disk with an EFI partition
#   DIR/fw/{QEMU_EFI-aarch64,AAVMF_CODE,AAVMF_VARS}.fd   UEFI firmware
# For PCs:
#   DIR/linux/{amd64,i386,i386-pae}, DIR/di/{amd64,amd64-gtk,i386}   the same
#   DIR/fw/{memtest86+x64.{bin,iso},memtest86+ia32.bin,ipxe.lkrn,gnumach,xen.gz}   kernels that are no Linux; iPXE as a network card's boot program does it
#   DIR/iso/grub-x86.iso                  GRUB for BIOS and UEFI, from CD and from disk, with a menu of all of them
#   DIR/loaders/{u-boot-x86,u-boot-x86_64}.rom, OVMF32_*.fd  U-Boot and UEFI of 32 bits as firmware; {isolinux.iso,secure.img}: ISOLINUX's menu on a CD and, signed, shim and
#                                         GRUB on an EFI partition, for the Linux above
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
D=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- linux di fw grub linux-pc di-pc fw-pc iso loaders-pc
. "$here/apt-private.sh"

modules="virtio_pci virtio_mmio virtio_blk virtio_net virtio_scsi virtio_console virtio_rng virtio_balloon 9p
9pnet_virtio ahci sd_mod sr_mod isofs ext4 vfat nls_ascii nls_cp437 e1000 e1000e nvme rtc-pl031 loop ata_piix 8139cp 8139too
ne2k-pci pcnet32 floppy kvm-amd i6300esb iTCO_wdt"

# fetch ARCH PACKAGE: unpacked below DIR/.unpack; prints where.
fetch() {
    local u=$D/.unpack/$1/$2 apt=$D/.apt/$1
    if [ ! -e "$u.ok" ]; then
        rm -rf "$u"
        mkdir -p "$u" "$D/.debs/$1"
        if [ ! -e "$apt/ok" ]; then
            unset APT_CONFIG
            apt_private "$apt" "deb bookworm"
            echo "APT::Architecture \"$1\"; APT::Architectures { \"$1\"; \"all\"; };" >> "$apt/apt.conf"
            apt-get -qq update >&2
            : > "$apt/ok"
        fi
        export APT_CONFIG=$apt/apt.conf
        echo "fetching $2:$1" >&2
        (cd "$D/.debs/$1" && apt-get -qq download "$2" >&2)
        dpkg-deb -x "$D/.debs/$1/$2"_*.deb "$u"
        : > "$u.ok"
    fi
    echo "$u"
}

# kernel_package ARCH META: the package that the meta package stands for today.
kernel_package() {
    fetch "$1" "$2" > /dev/null
    dpkg-deb -f "$D/.debs/$1/$2"_*.deb Depends | sed -n 's/^\(linux-image-[0-9][^ ]*\).*/\1/p'
}

# linux_of ARCH META [NAME]
linux_of() {
    local o=$D/linux/${3:-$1} pkg kernel busybox version tree r=$D/.unpack/ramdisk file
    pkg=$(kernel_package "$1" "$2")
    kernel=$(fetch "$1" "$pkg")
    busybox=$(fetch "$1" busybox-static)
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
    rm -rf "$r"
}

mk_linux() { linux_of arm64 linux-image-arm64; }

mk_linux-pc() {
    linux_of amd64 linux-image-amd64
    linux_of i386 linux-image-686
    linux_of i386 linux-image-686-pae i386-pae
}

# di_of ARCH [gtk]
di_of() {
    local o=$D/di/$1${2:+-$2} u
    u=$(fetch "$1" "debian-installer-12-netboot-$1")/usr/lib/debian-installer/images/12/$1/${2:-text}/debian-installer/$1
    mkdir -p "$o"
    cp "$u/linux" "$u/initrd.gz" "$o/"
}

mk_di() { di_of arm64; }

mk_di-pc() {
    di_of amd64
    di_of amd64 gtk
    di_of i386
}

mk_fw() {
    local u
    u=$(fetch arm64 qemu-efi-aarch64)/usr/share
    mkdir -p "$D/fw"
    cp "$u/qemu-efi-aarch64/QEMU_EFI.fd" "$D/fw/QEMU_EFI-aarch64.fd"
    cp "$u"/AAVMF/AAVMF_{CODE,VARS}.fd "$D/fw/"
}

mk_fw-pc() {
    local o=$D/fw
    mkdir -p "$o"
    cp "$(fetch amd64 memtest86+)"/{boot/memtest86+{x64,ia32}.bin,usr/lib/memtest86+/memtest86+x64.iso} "$o/"
    cp "$(fetch amd64 ipxe)/boot/ipxe.lkrn" "$o/"
    gzip -dcf "$(fetch i386 gnumach-image-1.8-486)"/boot/gnumach* > "$o/gnumach"
    cp "$(fetch amd64 xen-hypervisor-4.17-amd64)"/boot/xen-4.17-amd64.gz "$o/xen.gz"
}

# need WHAT...: made before.
need() {
    local what
    for what; do
        [ -e "$D/$what.ok" ] || { "mk_$what"; : > "$D/$what.ok"; }
    done
}

iso_config() {
    cat <<'C'
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout=2
set default=0
echo GRUB-ISO-OK $grub_cpu-$grub_platform
menuentry "Linux self test" {
    linux /boot/vmlinuz console=ttyS0 guest=
    initrd /boot/initrd.gz
}
menuentry "Linux shell" {
    linux /boot/vmlinuz console=ttyS0 guest=sh
    initrd /boot/initrd.gz
}
menuentry "Halt" { halt }
menuentry "Reboot" { reboot }
if [ "$grub_platform" = pc ]; then
    menuentry "Linux, 32 bits" { linux /boot/vmlinuz32 console=ttyS0; initrd /boot/initrd32.gz; }
    menuentry "memtest86+" { linux16 /boot/memtest.bin console=ttyS0,115200; }
    menuentry "GNU Mach (multiboot)" { multiboot /boot/gnumach gnumach console=com0; }
fi
C
}

mk_iso() {
    local w=$D/.unpack/iso
    need linux-pc fw-pc
    rm -rf "$w"
    mkdir -p "$D/iso" "$w/cd/boot/grub"
    cp "$D"/linux/amd64/{vmlinuz,initrd.gz} "$D/fw/gnumach" "$w/cd/boot/"
    cp "$D/linux/i386/vmlinuz" "$w/cd/boot/vmlinuz32"
    cp "$D/linux/i386/initrd.gz" "$w/cd/boot/initrd32.gz"
    cp "$D/fw/memtest86+x64.bin" "$w/cd/boot/memtest.bin"
    iso_config > "$w/cd/boot/grub/grub.cfg"
    grub-mkrescue -o "$D/iso/grub-x86.iso" "$w/cd" -- -volid GRUBX86 2> "$w/log" || { cat "$w/log" >&2; return 1; }
    rm -rf "$w"
}

isolinux_config() {
    cat <<'C'
SERIAL 0 115200
UI vesamenu.c32
MENU TITLE Emu
TIMEOUT 600
LABEL linux
  MENU LABEL Linux self test
  KERNEL /boot/vmlinuz
  APPEND initrd=/boot/initrd.gz console=ttyS0 guest=
C
}

mk_loaders-pc() {
    local o=$D/loaders w=$D/.unpack/loaders u
    need linux-pc
    rm -rf "$w"
    mkdir -p "$o" "$w"/{cd/isolinux,cd/boot,efi/EFI/BOOT,efi/boot/grub}
    u=$(fetch amd64 u-boot-qemu)/usr/lib/u-boot
    for arch in x86 x86_64; do cp "$u/qemu-$arch/u-boot.rom" "$o/u-boot-$arch.rom"; done
    cp "$(fetch amd64 ovmf-ia32)"/usr/share/OVMF/OVMF32_{CODE_4M.secboot,VARS_4M}.fd "$o/"
    cp "$(fetch amd64 isolinux)/usr/lib/ISOLINUX/isolinux.bin" "$w/cd/isolinux/"
    u=$(fetch amd64 syslinux-common)/usr/lib/syslinux/modules/bios
    cp "$u"/{ldlinux,libcom32,libutil,vesamenu}.c32 "$w/cd/isolinux/"
    cp "$D"/linux/amd64/{vmlinuz,initrd.gz} "$w/cd/boot/"
    isolinux_config > "$w/cd/isolinux/isolinux.cfg"
    xorriso -as mkisofs -o "$o/isolinux.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
        -boot-info-table "$w/cd" 2> "$w/log" || { cat "$w/log" >&2; return 1; }
    u=$(fetch amd64 shim-signed)/usr/lib/shim
    cp "$u/shimx64.efi.signed" "$w/efi/EFI/BOOT/BOOTX64.EFI"
    cp "$(fetch amd64 grub-efi-amd64-signed)/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed" "$w/efi/EFI/BOOT/grubx64.efi"
    cp "$D"/linux/amd64/{vmlinuz,initrd.gz} "$w/efi/boot/"
    printf 'serial --unit=0\nterminal_output serial console\nlinux /boot/vmlinuz console=ttyS0 guest=\ninitrd /boot/initrd.gz\nboot\n' \
        > "$w/efi/boot/grub/grub.cfg"
    truncate -s 64M "$o/secure.img"
    mkfs.vfat -n ESP "$o/secure.img" > "$w/log"
    mcopy -s -i "$o/secure.img" "$w/efi/"* ::
    rm -rf "$w"
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
    need linux
    from=$(fetch arm64 grub-efi-arm64-bin)/usr/lib/grub/arm64-efi
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
    linux|di|fw|grub|linux-pc|di-pc|fw-pc|iso|loaders-pc) need "$what" ;;
    *) echo "mk-guests.sh: unknown guest '$what': want linux, di, fw, grub, linux-pc, di-pc, fw-pc, iso or loaders-pc" >&2; exit 2 ;;
    esac
done
