#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Threads on shared counters, forks in threaded programs, signals into loops, stack overflows,
# little address space.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc
limit=100
build() { aarch64-linux-gnu-gcc -O2 -w -static -pthread "${@:2}" -o "$work/$1" "$SRC/${1%%-*}.c" -latomic -lm || exit 1; }

build shared-exclusives -march=armv8-a -mno-outline-atomics
build shared-lse -march=armv8.1-a
for t in shared-exclusives shared-lse; do
    prints "8 threads, exact counts, ${t#*-}" ok emu "$work/$t"
done
build forks
prints "forks in a threaded program" "200 of 200 children, all signals" emu "$work/forks" 200
build interrupted
prints "real-time signals into loops" "all counted" emu "$work/interrupted"

gcc -O2 -w -static -pthread -o "$work/native" "$SRC/overflow.c"
build overflow
for stack in 1024 8192 100000; do
    (ulimit -s $stack && "$work/native") >"$work/.want"
    (ulimit -s $stack && emu "$work/overflow") >"$work/.got" 2>"$work/.err"
    verdict "stack overflows handled with ulimit -s $stack"
done
(ulimit -s 8192 && "$work/native") >"$work/.want"
(ulimit -s 8192 && setarch -R timeout "$limit" "$EMU" "$work/overflow") >"$work/.got" 2>"$work/.err"
verdict "stack overflows handled without address randomization"

build processes
for kib in 400000 100000 50000; do
    (ulimit -v $kib && emu "$work/processes" 20 4) >"$work/.got" 2>"$work/.err"
    echo "20 ended well" >"$work/.want"
    verdict "programs run in $kib KiB of address space"
done
(ulimit -v 12000 && emu "$work/processes" 1 1) >"$work/log" 2>&1
if [ $? -lt 128 ] && ! grep -q bug "$work/log"; then pass "no memory is an error, not a crash"; else fail "no memory is an error, not a crash"; fi
