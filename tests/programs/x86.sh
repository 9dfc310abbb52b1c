#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# System calls, signals and threads as x86-64 and i386 programs see them; the same programs pass natively, but where the reason
# is given below.
. "$(dirname "$0")/../lib.sh"
need gcc
[ "$(uname -m)" = x86_64 ] || { skip "runs" "needs an x86-64 machine"; exit 0; }
bin=$(dirname "$EMU")

for p in signals endings repeats tasks files pointers clocks quick; do
    gcc -O1 -w -static -pthread -o "$work/$p" "$SRC/calls/$p.c" || exit 1
    to_end "$bin/qemu-x86_64" "$work/$p" | sed -E "s/^(pass|fail|skip) ($p),/\1 \2 x86-64,/"
done
# The vDSO's functions, when they are not executed as they are.
to_end "$bin/qemu-x86_64" --engine=interp "$work/clocks" | sed -E 's/^(pass|fail|skip) (clocks),/\1 \2 x86-64 interp,/'
GUEST_BASE=1 to_end "$bin/qemu-x86_64" -B 0x10000000000 "$work/clocks" | sed -E 's/^(pass|fail|skip) (clocks),/\1 \2 x86-64 -B,/'

echo 'int main(void) { return 0; }' >"$work/none.c"
gcc -m32 -static -o "$work/none" "$work/none.c" 2>/dev/null ||
    { skip "i386 programs" "needs a C library of 32 bits"; exit 0; }
# Two tests of files are of 64-bit programs: they fail natively, too. 
for p in signals endings tasks files clocks pointers; do
    gcc -m32 -I"/usr/include/$(uname -m)-linux-gnu" -O1 -w -static -pthread -o "$work/$p" "$SRC/calls/$p.c" || exit 1
    GUEST_BASE=1 to_end "$bin/qemu-i386" "$work/$p" | sed -E "s/^(pass|fail|skip) ($p),/\1 \2 i386,/" |
        sed -E 's/^fail (files i386, (stat_fields|vectors_offsets_and_locks))$/its numbers do not fit 32 bits\nskip \1/'
done
