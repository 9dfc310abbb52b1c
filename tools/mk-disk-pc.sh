#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a whole Debian system for PCs to boot, by themselves from BIOS or UEFI, or with -kernel.  Made once; later calls return
# at once.  Log in as root, password "root".
# usage: tools/mk-disk-pc.sh DIR
# Result: DIR/disk.img: MBR, GRUB for both firmwares, partition 1 the root (ext4, label guestroot), partition 2 the EFI system
#         partition; DIR/vmlinuz, DIR/initrd.img
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
dir=$1

system=systemd-sysv,udev,dbus,kmod,linux-image-amd64,initramfs-tools,zstd,login,passwd,e2fsprogs,util-linux
network=iproute2,iputils-ping,isc-dhcp-client,ifupdown,iperf3
work=gcc,libc6-dev,make,openssl,python3-minimal,procps,pciutils
packages=$system,$network,$work
root_mb=2400 esp_mb=64

stamp=$dir/.complete
key=$(cat "$0" | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then exit 0; fi
[ "$(id -u)" = 0 ] || { echo "mk-disk-pc.sh: needs root (owners of files)" >&2; exit 1; }
[ "$(dpkg --print-architecture)" = amd64 ] || { echo "mk-disk-pc.sh: installs amd64 packages by running them, on amd64 only" >&2; exit 1; }

start=$SECONDS
echo "making a Debian amd64 disk in $dir (takes some minutes)" >&2
rm -rf "$dir"
mkdir -p "$dir/root"
chmod 755 "$dir" "$dir/root"
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
    grep ' bookworm' | sort -u > "$dir/sources"
[ -s "$dir/sources" ] || { echo "mk-disk-pc.sh: apt knows no Debian archive" >&2; exit 1; }
quiet=; [ -t 2 ] || quiet=--quiet
# In a mount namespace of its own, so that nothing stays mounted when it is interrupted.
unshare -m --propagation private mmdebstrap $quiet --mode=root --variant=minbase --architectures=amd64 --include="$packages" \
    --skip=check/empty,chroot/mount/sys,output/dev --aptopt='Acquire::Retries "5"' \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='echo root:root | chroot "$1" chpasswd' \
    --customize-hook='echo guest > "$1/etc/hostname"' \
    --customize-hook='echo LABEL=guestroot / ext4 errors=remount-ro 0 1 > "$1/etc/fstab"' \
    --customize-hook='printf "auto lo\niface lo inet loopback\n" > "$1/etc/network/interfaces"' \
    --customize-hook='mkdir -p "$1/boot/grub"' \
    "" "$dir/root" - < "$dir/sources"
cp -L "$dir/root/vmlinuz" "$dir/vmlinuz"
cp -L "$dir/root/initrd.img" "$dir/initrd.img"
cat > "$dir/root/boot/grub/grub.cfg" <<'C'
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout=1
set default=0
search --no-floppy --label --set=root guestroot
menuentry "Debian" {
    linux /vmlinuz root=LABEL=guestroot ro console=tty0 console=ttyS0,115200
    initrd /initrd.img
}
C
mke2fs -q -t ext4 -O ^metadata_csum_seed,^orphan_file -L guestroot -E root_owner=0:0 -d "$dir/root" "$dir/part" ${root_mb}M

# BIOS: GRUB's boot.img loads the sector behind it, and core.img there what follows it.
bios=/usr/lib/grub/i386-pc efi=/usr/lib/grub/x86_64-efi
modules="part_msdos part_gpt ext2 fat normal linux echo search search_label serial terminal configfile halt reboot ls cat test"
grub-mkimage -d $bios -O i386-pc -o "$dir/core" -p '(hd0,msdos1)/boot/grub' biosdisk $modules
printf 'search --no-floppy --label --set=root guestroot\nset prefix=($root)/boot/grub\nconfigfile ($root)/boot/grub/grub.cfg\n' > "$dir/early"
grub-mkimage -d $efi -O x86_64-efi -o "$dir/boot.efi" -p /boot/grub -c "$dir/early" efi_gop $modules
truncate -s ${esp_mb}M "$dir/esp"
mkfs.vfat -n ESP "$dir/esp" > /dev/null
mmd -i "$dir/esp" ::EFI ::EFI/BOOT
mcopy -i "$dir/esp" "$dir/boot.efi" ::EFI/BOOT/BOOTX64.EFI
truncate -s $((1 + root_mb + esp_mb))M "$dir/disk.img"
printf 'label: dos\nlabel-id: 0x12345678\n2048,%s,83,*\n%s,%s,ef\n' $((root_mb * 2048)) $((2048 + root_mb * 2048)) $((esp_mb * 2048)) |
    sfdisk -q "$dir/disk.img"
dd if="$dir/part" of="$dir/disk.img" bs=1M seek=1 conv=notrunc,sparse status=none
dd if=$bios/boot.img of="$dir/disk.img" bs=440 count=1 conv=notrunc status=none
dd if="$dir/core" of="$dir/disk.img" bs=512 seek=1 conv=notrunc status=none
dd if="$dir/esp" of="$dir/disk.img" bs=1M seek=$((1 + root_mb)) conv=notrunc,sparse status=none
rm -rf "$dir"/{root,part,core,early,boot.efi,esp,sources}
echo "$key" > "$stamp"
echo "$dir: $(du -sh "$dir" | cut -f1), $((SECONDS - start)) s" >&2
