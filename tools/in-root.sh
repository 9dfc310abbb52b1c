#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a command inside a root file system, in a mount namespace of its own: nothing stays
# mounted behind it, and with user namespaces nobody needs to be root.
# usage: [EMU=EMULATOR] [BINFMT=1] [SHARE=DIR] [TCACHE=DIR] tools/in-root.sh ROOT COMMAND...
#   EMU     static emulator; COMMAND is a foreign program, started as "EMULATOR COMMAND..." by the same name
#   BINFMT  register EMU with a binfmt_misc private to the namespace (Linux 6.7 and later) and
#           start COMMAND directly: the kernel calls the emulator for it and its children
#   SHARE   host directory that is /share inside
#   TCACHE  host directory where Emu keeps translations; EMU_OPTS says so to all processes
set -eu
root=$(cd "$1" && pwd)
shift
called=$(basename "${EMU:-qemu-aarch64}")
case $called in qemu-*-static) ;; qemu-*) called=$called-static ;; *) called=qemu-aarch64-static ;; esac
export CALLED=$called EMU=${EMU:+$(readlink -f "$EMU")} SHARE=${SHARE:+$(readlink -f "$SHARE")} BINFMT=${BINFMT:-}
export TCACHE=${TCACHE:+$(readlink -f "$TCACHE")}
if [ -n "$TCACHE" ]; then export EMU_OPTS="${EMU_OPTS:-} --tcache=/tcache"; fi
mkdir -p "$root"/{proc,dev,tmp,share,tcache,root}
[ -e "$root/etc/hosts" ] || echo "127.0.0.1 localhost" > "$root/etc/hosts" # nobody has configured it
[ -z "$EMU" ] || [ -e "$root/usr/bin/$CALLED" ] || : > "$root/usr/bin/$CALLED"

# A user namespace when needed: not root, or a binfmt_misc of our own is wanted.
new=-m
if [ "$(id -u)" != 0 ] || [ -n "$BINFMT" ]; then new=-Urm; fi

exec unshare $new --propagation private bash -ec '
root=$1; shift
if [ -n "$BINFMT" ]; then
    # magic and mask: 64-bit little-endian ELF, EXEC or DYN, machine 183 (docs/binfmt.md)
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    printf "%s" ":aarch64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$EMU:POCF" \
        > /proc/sys/fs/binfmt_misc/register
fi
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount -t tmpfs none "$root/tmp"
[ -z "$SHARE" ] || mount --bind "$SHARE" "$root/share"
[ -z "$TCACHE" ] || mount --bind "$TCACHE" "$root/tcache"
if [ -n "$EMU" ]; then mount --bind "$EMU" "$root/usr/bin/$CALLED"; fi
if [ -n "$EMU" ] && [ -z "$BINFMT" ]; then set -- "/usr/bin/$CALLED" "$@"; fi
exec env -u EMU -u CALLED -u SHARE -u BINFMT -u TCACHE PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 chroot "$root" "$@"
' in-root "$root" "$@"
