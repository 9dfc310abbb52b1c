#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Thousands of short processes, many at once, signals at 10 kHz: no crash, no hang, no lost count.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc
limit=100
for p in processes signals; do
    aarch64-linux-gnu-gcc -O2 -static -pthread -o "$work/$p" "$SRC/$p.c" || exit 1
done
prints "10,000 short processes" "10000 ended well" emu "$work/processes" 10000 4
prints "200 processes at once" "200 ended well" emu "$work/processes" 200 200
prints "signals at 10 kHz into a loop" "all counted" emu "$work/signals" timer
prints "signals between 8 threads" "all counted" emu "$work/signals" threads
prints "real-time signals queue" "all counted" emu "$work/signals" queue
