#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# -g with x86 programs: gdb knows their registers, of 64 and of 32 bits.
. "$(dirname "$0")/../lib.sh"
need gcc gdb-multiarch
bin=$(dirname "$EMU")
cd "$work" || exit
gcc -O0 -g -static -o debugged64 "$SRC/debugged.c" || exit 1
gcc -m32 -O0 -g -static -o debugged32 "$SRC/debugged.c" 2>/dev/null || skip "32-bit registers" "there is no 32-bit C library"

# debug NAME EMULATOR PROGRAM WANT GDB-COMMAND...: what gdb prints holds every line of WANT, in order.
debug() {
    local name=$1 emulator=$2 program=$3 want=$4 args=() c
    shift 4
    for c; do args+=(-ex "$c"); done
    rm -f socket
    timeout -k 5 $limit "$bin/$emulator" -g "$work/socket" "./$program" >out 2>&1 &
    listens "$work/socket"
    timeout $limit gdb-multiarch -q -nx -batch -ex 'set confirm off' -ex "target remote $work/socket" \
        "${args[@]}" "./$program" >got 2>&1 </dev/null
    wait
    if awk -v want="$want" 'BEGIN { n = split(want, w, "\n"); i = 1 }
        i <= n && index($0, w[i]) { i++ } END { exit i <= n }' got
    then pass "$name"; else tail -20 got; fail "$name"; fi
}

debug "64-bit registers" qemu-x86_64 debugged64 "Breakpoint 1, twice (n=21)
= 0x15
rip
IF ]
cs             0x33
= 895
= 0x1f80
r8
= 42
= 5
exited with code 07" "break twice" continue "p/x \$edi" "info registers rip eflags cs" "p \$fctrl" "p/x \$mxcsr" "info registers r8" \
    finish "p \$eax" "p counter=5" delete continue continue
[ -x debugged32 ] && debug "32-bit registers" qemu-i386 debugged32 "Breakpoint 1, twice (n=21)
eip
IF ]
cs             0x23
= 42
exited with code 07" "break twice" continue "info registers eip eflags cs" finish "p \$eax" delete continue continue

gcc -static -o vectors "$SRC/x86/vectors.S" || exit 1
debug "vector and x87 registers, steps, the description of the CPU" qemu-x86_64 vectors "Breakpoint 1
= {1, 2, 3, 4}
= {1, 2, 3, 4, 5, 6, 7, 8}
3.14159265358979323
= 0xff
stop_here + 1
org.gnu.gdb.i386.avx
exited with code 011" "break stop_here" continue "p \$xmm1.v4_int32" "p \$ymm3.v8_int32" "p \$st0" 'p/x $ymm3.v8_int32[7]*31+7' \
    stepi "info symbol \$pc" 'maint print xml-tdesc' 'set $xmm1.v4_int32[0] = 7' delete continue
