#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Brings the reference emulators that benchmarks compare with, as black boxes: static programs,
# downloaded and unpacked, not installed.
#   DIR/7.2   Debian 12's qemu-user-static
#   DIR/10.0  bookworm-backports' qemu-user
# usage: tools/mk-reference.sh DIR
set -euo pipefail
export LC_ALL=C
. "$(dirname "$0")/apt-private.sh"
dir=$1
[ -x "$dir/10.0" ] && [ -x "$dir/7.2" ] && [ ! -L "$dir/7.2" ] && exit 0
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
apt=$dir/.apt

echo "fetching the reference emulators (bookworm: qemu-user-static, its backports: qemu-user)" >&2
apt_private "$apt" 'deb bookworm' 'deb bookworm-backports'
cd "$apt"
apt-get -qq download qemu-user-static/bookworm qemu-user/bookworm-backports >&2
dpkg-deb -x qemu-user-static_*.deb "$apt/7.2"
dpkg-deb -x qemu-user_*.deb "$apt/10.0"
rm -f "$dir/7.2"
cp "$apt/7.2/usr/bin/qemu-aarch64-static" "$dir/7.2"
cp "$apt/10.0/usr/bin/qemu-aarch64" "$dir/10.0"
rm -rf "$apt"
