#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Brings the reference emulators that tests and benchmarks compare with, as black boxes:
#   DIR/7.2   Debian 12's qemu-user (installed by tools/deps.sh)
#   DIR/10.0  bookworm-backports' qemu-user, a static program; downloaded and unpacked, not installed
# usage: tools/mk-reference.sh DIR
set -euo pipefail
export LC_ALL=C
dir=$1
[ -x "$dir/10.0" ] && [ -x "$dir/7.2" ] && exit 0
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
ln -sf /usr/bin/qemu-aarch64 "$dir/7.2"

# A private apt configuration with the same mirror as the machine's own bookworm source.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    'Codename: bookworm' | head -n 1)
[ -n "$mirror" ] || { echo "mk-reference.sh: apt knows no Debian archive here" >&2; exit 1; }
apt=$dir/.apt
mkdir -p "$apt"/{lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d}
: > "$apt/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror bookworm-backports main" > "$apt/sources.list"
cat > "$apt/apt.conf" <<EOF
Dir "$apt"; Dir::State "$apt"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status";
Dir::Cache "$apt/cache"; Dir::Etc "$apt/etc"; Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null"; Dir::Etc::main "/dev/null";
Dir::Bin::Methods "/usr/lib/apt/methods"; APT::Sandbox::User ""; Acquire::Languages "none";
EOF
echo "fetching the newer reference emulator (bookworm-backports, qemu-user)" >&2
export APT_CONFIG=$apt/apt.conf
apt-get -qq update >&2
cd "$apt" && apt-get -qq download qemu-user >&2
dpkg-deb -x qemu-user_*.deb "$apt/unpacked"
cp "$apt/unpacked/usr/bin/qemu-aarch64" "$dir/10.0"
rm -rf "$apt"
