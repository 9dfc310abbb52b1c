#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# System calls, signals and threads as a program sees them; the same programs pass natively.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc
for p in signals tasks files; do
    aarch64-linux-gnu-gcc -O1 -w -static -pthread -o "$work/$p" "$SRC/calls/$p.c" || exit 1
    emu "$work/$p"
done
