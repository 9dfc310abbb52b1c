#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# System calls, signals and threads as a program sees them; the same programs pass natively.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc
for p in signals endings tasks files pointers clocks bti; do
    aarch64-linux-gnu-gcc -O1 -w -static -pthread -o "$work/$p" "$SRC/calls/$p.c" || exit 1
    to_end "$EMU" "$work/$p"
done

# For a guest whose address 0 is not the host's (the address sanitizer has its own memory there).
case $EMU in
*/san/*) ;;
*) for p in signals endings tasks files pointers; do
       GUEST_BASE=1 to_end "$EMU" -B 0x7000000000 "$work/$p" | sed -E "s/^(pass|fail|skip) ($p),/\1 \2 -B,/"
   done ;;
esac

# Threads that change their rights at once, while there is something compiled in the background.
thrice() {
    for _ in 1 2 3; do emu --background=on --hot-after=20 "$work/tasks" changing_ids_reaches_all_threads || return; done
}
works "rights change while something is compiled" thrice

# Clocks are read in the vDSO, without leaving for a system call; -strace shows them all the same.
"$EMU" -d int -D "$work/log" "$work/clocks" reads_follow_each_other >/dev/null
n=$(grep -c 'system call' "$work/log")
[ "$n" -gt 5 ] && [ "$n" -lt 500 ] && pass "no system call for a clock" || fail "$n system calls for 3000 clock readings"
"$EMU" -strace "$work/clocks" reads_follow_each_other 2>&1 >/dev/null |
    awk '/clock_gettime\(CLOCK_MONOTONIC/ { n++ } END { exit n < 1000 }' &&
    pass "-strace shows clock_gettime" || fail "-strace shows clock_gettime"

# Branch target identification: on the interpreter, without the feature, and marked programs.
emu -cpu cortex-a72 "$work/bti" without
subject=bti
works "on the interpreter" emu --engine=interp "$work/bti"
start() {
    aarch64-linux-gnu-gcc -nostdlib "$@" "$SRC/calls/bti_start.S" || exit 1
}
status() { emu "$@" 2>/dev/null; echo $?; }
cd "$work" || exit
start -static -DMARKED -o marked
start -static -o unmarked
start -static-pie -DINTERP -o ld-unmarked
start -static-pie -DINTERP -DMARKED -o ld-marked
start -pie -DMARKED -Wl,--dynamic-linker="$work/ld-unmarked" -o dynamic
start -pie -Wl,--dynamic-linker="$work/ld-marked" -o dynamic-marked
prints "a marked program is guarded" 132 status ./marked
prints "an unmarked one is not" 42 status ./unmarked
prints "a model without BTI runs it" 42 status -cpu cortex-a72 ./marked
prints "whether a program with an interpreter is guarded is the interpreter's business" 42 status ./dynamic
prints "a marked interpreter is guarded" 132 status ./dynamic-marked
