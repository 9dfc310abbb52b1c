#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo: a session with arm64 programs on this machine.  usage: tools/demo.sh EMULATOR ROOT
set -eu
export EMU=$1
root=$2 here=$(dirname "$0")
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
export SHARE=$share

say() { printf '\n== %s\n' "$*"; }
guest() { "$here/in-root.sh" "$root" "$@"; }

cat >"$share/primes.py" <<'EOF'
import platform, sys
def primes(n):
    sieve = bytearray([1]) * n
    for i in range(2, int(n ** .5) + 1):
        if sieve[i]: sieve[i * i::i] = bytes(len(range(i * i, n, i)))
    return [i for i in range(2, n) if sieve[i]]
print(f'Python {platform.python_version()} on {platform.machine()}: {len(primes(1000000))} primes below a million')
EOF
cat >"$share/hello.c" <<'EOF'
#include <stdio.h>
#include <sys/utsname.h>
int main(void)
{
    struct utsname u;
    uname(&u);
    printf("compiled by the guest's gcc %s, running on %s\n", __VERSION__, u.machine);
    return 0;
}
EOF

say "a shell session in Debian's arm64 userland, run by $EMU"
guest /bin/bash -c '
run() { echo "\$ $*"; "$@"; }
run uname -m
run grep PRETTY /etc/os-release
run od -An -tx1 -N20 /bin/bash
echo "\$ ls /usr/bin | wc -l"; ls /usr/bin | wc -l'

say "a Python script"
guest /usr/bin/python3 /share/primes.py

say "the guest's own compiler, and what it compiled"
guest /bin/bash -c 'cd /share && time gcc -O2 -o hello hello.c && ./hello'
