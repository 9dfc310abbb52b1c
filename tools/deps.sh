#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that a job needs, when they are missing, and says which.
# usage: tools/deps.sh build|root|test|bench|fuzz ...
set -eu
export LC_ALL=C

packages() {
    case $1 in
    build) echo build-essential pkg-config python3 libjson-c-dev zlib1g-dev libzstd-dev libbz2-dev \
                libgnutls28-dev nettle-dev libcurl4-gnutls-dev libssh-dev libnbd-dev libslirp-dev libglib2.0-dev libfdt-dev \
                libpng-dev libvncserver-dev libcapstone-dev ;;
    root)  echo mmdebstrap fakeroot debian-archive-keyring util-linux ;;
    test)  echo qemu-utils qemu-block-extra qemu-system-arm qemu-efi-aarch64 qemu-system-x86 nbdkit libnbd-bin python3-libnbd fio e2fsprogs \
                dosfstools mtools openssh-server gnutls-bin cryptsetup-bin lsof \
                binutils-aarch64-linux-gnu gcc-aarch64-linux-gnu g++-aarch64-linux-gnu \
                libc6-dev-arm64-cross libc6-dev-i386 lib32gcc-12-dev lib32stdc++-12-dev qemu-user gdb-multiarch golang-go strace \
                clang device-tree-compiler acpica-tools swtpm iperf3 grub-common grub-pc-bin grub-efi-amd64-bin xorriso fdisk cpio kmod \
                seabios ovmf ipxe-qemu vncsnapshot gvncviewer samba ;;
    bench) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-i686-linux-gnu libc6-dev-i386-cross valgrind ;;
    fuzz)  echo clang libclang-rt-14-dev ;;
    *)     echo "deps.sh: unknown job '$1': want build, root, test, bench or fuzz" >&2; exit 2 ;;
    esac
}

wanted=$(for job in "$@"; do packages "$job"; done | tr ' ' '\n' | sort -u)
# dpkg-query prints one line per package that it knows; only "ii" ones are really installed.
have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^ii *//p')
missing=$(for p in $wanted; do echo "$have" | grep -qxF "$p" || echo "$p"; done)
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps.sh: not root and no sudo; as root, run: apt-get install" $missing >&2
        exit 1
    }
    as_root=sudo
fi
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install $missing >&2
}
echo "installing Debian packages:" $missing >&2
# Package lists may be absent or old: refresh them once.  Other people's sources that fail to
# answer do not matter, so only the installation decides.
if ! install; then
    echo "refreshing the package lists" >&2
    $as_root apt-get -qq update >&2 || true
    install
fi
