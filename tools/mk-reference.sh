#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Brings the reference emulators that benchmarks compare with, as black boxes: static programs,
# downloaded and unpacked, not installed.
#   DIR/GUEST/7.2   Debian 12's qemu-user-static
#   DIR/GUEST/10.0  bookworm-backports' qemu-user
# usage: tools/mk-reference.sh DIR
set -euo pipefail
export LC_ALL=C
. "$(dirname "$0")/apt-private.sh"
guests="aarch64 x86_64 i386"
dir=$1
complete=yes
for g in $guests; do
    [ -x "$dir/$g/10.0" ] && [ -x "$dir/$g/7.2" ] || complete=
done
[ -z "$complete" ] || exit 0
rm -rf "$dir"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
apt=$dir/.apt

echo "fetching the reference emulators (bookworm: qemu-user-static, its backports: qemu-user)" >&2
apt_private "$apt" 'deb bookworm' 'deb bookworm-backports'
cd "$apt"
apt-get -qq download qemu-user-static/bookworm qemu-user/bookworm-backports >&2
dpkg-deb -x qemu-user-static_*.deb "$apt/7.2"
dpkg-deb -x qemu-user_*.deb "$apt/10.0"
for g in $guests; do
    mkdir -p "$dir/$g"
    cp "$apt/7.2/usr/bin/qemu-$g-static" "$dir/$g/7.2"
    cp "$apt/10.0/usr/bin/qemu-$g" "$dir/$g/10.0"
done
rm -rf "$apt"
