#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a Debian root file system for tests, benchmarks and the demo: packages unpacked side by
# side, nothing in them run, everything owned by the caller.  Made once; later calls return at once.
# usage: tools/mk-root.sh demo|full|build|programs ARCH DIR        (ARCH as Debian names it: arm64, amd64, i386)
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
set_name=$1 arch=$2 dir=$3

base=base-files,bash,dash,coreutils,sed,grep,findutils,gzip,python3-minimal,libc6,libc-bin
compiler=gcc-12,libc6-dev,make
tools=bc,busybox-static,diffutils,file,gawk,git,tar,perl,procps,util-linux,ncurses-base
languages=lua5.4,luajit,nodejs,python3.11,libpython3.11-testsuite,g++-12,libstdc++-12-dev
packaging=build-essential,debhelper,autoconf,automake,libtool,libtool-bin,help2man,texinfo,libreadline-dev
data=sqlite3,openssl,ca-certificates,xz-utils,zstd,bzip2,zlib1g,tzdata

case $set_name in
demo) packages=$base,$compiler ;;
build) packages=$base,$compiler,$tools,$packaging ;;
programs) packages=$base,$compiler,$tools,lua5.4,python3.11,libpython3.11-testsuite,$data ;;
full) packages=$base,$compiler,$tools,$languages,$data
      # the native side also brings the Java compiler: its class files run on both
      if [ "$arch" = "$(dpkg --print-architecture)" ]; then
          packages=$packages,openjdk-17-jdk-headless
      else
          packages=$packages,openjdk-17-jre-headless
      fi ;;
*)    echo "mk-root.sh: unknown set '$set_name': want demo, full, build or programs" >&2; exit 2 ;;
esac

stamp=$dir/.complete
key=$(echo "$packages" | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then exit 0; fi

# apt_sources: the Debian archives that this machine itself uses, one line per suite.
apt_sources() {
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' | grep " ${VERSION_CODENAME:-bookworm}" | sort -u
}
VERSION_CODENAME=$(. /etc/os-release; echo "${VERSION_CODENAME:-bookworm}")
sources=$(apt_sources) || {
    echo "no Debian package lists on this machine yet: fetching them" >&2
    as_root=; [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get -qq update >&2 || true
    sources=$(apt_sources) || { echo "mk-root.sh: apt knows no Debian archive" >&2; exit 1; }
}

# Unpacking needs no privileges, but the files' owners and modes are wanted: fakeroot pretends.
fake= mode=root
if [ "$(id -u)" != 0 ]; then fake=fakeroot mode=chrootless; fi

start=$SECONDS
echo "making the $set_name $arch root in $dir (takes a minute or two)" >&2
rm -rf "$dir" "$dir.tar"
mkdir -p "$dir"
# --format=tar: the archive is unpacked below without owners and device nodes
quiet=; [ -t 2 ] || quiet=--quiet
unpack() { # sources on standard input
    $fake mmdebstrap $quiet --mode=$mode --variant=extract --architectures="$arch" \
        --include="$packages" --skip=check/qemu,check/chroot,check/empty \
        --aptopt='Acquire::Retries "5"' --dpkgopt=path-exclude='/usr/share/man/*' \
        --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-exclude='/usr/share/locale/*' \
        --format=tar '' "$dir.tar" -
}
# Mirrors of rarer architectures may be out of step in what they have of security updates.
echo "$sources" | unpack || {
    echo "once more without security updates" >&2
    rm -f "$dir.tar"
    echo "$sources" | grep -v -e -security | unpack
}
tar -C "$dir" --no-same-owner --exclude='./dev/*' -xf "$dir.tar"
rm -f "$dir.tar"

# Absolute links would lead out of the root when it is used with -L: make them relative.
find "$dir" -type l -lname '/*' | while read -r link; do
    ln -sfnr "$dir$(readlink "$link")" "$link"
done
# What maintainer scripts would have made.
name_as() { [ -e "$dir/usr/bin/$2" ] || [ -L "$dir/usr/bin/$2" ] || ln -s "$1" "$dir/usr/bin/$2"; }
[ -e "$dir/bin/sh" ] || ln -s dash "$dir/bin/sh"
if [ -e "$dir/usr/bin/gcc-12" ]; then name_as gcc-12 gcc; name_as gcc-12 cc; name_as cpp-12 cpp; fi
if [ -e "$dir/usr/bin/g++-12" ]; then name_as g++-12 g++; name_as g++-12 c++; fi
if [ -e "$dir/usr/bin/gawk" ]; then name_as gawk awk; fi
for tool in automake aclocal; do
    if [ -e "$dir/usr/bin/$tool-1.16" ]; then name_as $tool-1.16 $tool; fi
done
java=$(cd "$dir" && echo usr/lib/jvm/java-17-openjdk-*/bin/java)
if [ -e "$dir/$java" ]; then ln -sfr "$dir/$java" "$dir/usr/bin/java"; fi
echo "$key" > "$stamp"
echo "$dir: $(du -sh "$dir" | cut -f1), $((SECONDS - start)) s" >&2
