#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetches Debian 12's source packages and unpacks them, patches applied, as DIR/PACKAGE.
# usage: tools/mk-sources.sh DIR PACKAGE...
set -euo pipefail
export LC_ALL=C
. "$(dirname "$0")/apt-private.sh"
dir=$1
shift
missing=$(for p; do [ -d "$dir/$p" ] || echo "$p"; done)
[ -n "$missing" ] || exit 0
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
apt=$dir/.apt

echo "fetching source packages:" $missing >&2
apt_private "$apt" 'deb-src bookworm'
for p in $missing; do
    mkdir "$apt/$p"
    cd "$apt/$p"
    apt-get -qq --download-only source "$p" >&2
    dpkg-source --no-check -x ./*.dsc unpacked >&2
    mv unpacked "$dir/$p"
done
rm -rf "$apt"
