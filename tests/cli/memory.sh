#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory calls: results, errors and faults are those of a native run of the same program.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc gcc
cd "$work" || exit
gcc -O1 -w -o native "$SRC/memory.c" && aarch64-linux-gnu-gcc -O1 -w -static -o guest "$SRC/memory.c" || exit 1
./native >want 2>&1
# The address sanitizer has its own memory where a guest base would put the guest.
bases=("-B 0x100000000" "-B 0x7000000000")
case $EMU in */san/*) bases=() ;; esac
for options in "" "${bases[@]}" "-seed 1"; do
    emu $options ./guest >got 2>&1
    diff want got >differs; if [ ! -s differs ]; then pass "memory calls $options"; else head -20 differs; fail "memory calls $options"; fi
done
aarch64-linux-gnu-gcc -O1 -static -o doublemap "$SRC/doublemap.c" || exit 1
for engine in interp jit; do
    prints "code written through another mapping is seen, $engine" ok emu --engine=$engine ./doublemap
done
