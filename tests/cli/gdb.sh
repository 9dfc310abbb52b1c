#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# -g: gdb breaks, steps, reads and writes registers and memory, watches, sees signals and the end.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc gdb-multiarch
cd "$work" || exit
aarch64-linux-gnu-gcc -O0 -g -static -o debugged "$SRC/debugged.c" || exit 1

# debug NAME WANT GDB-COMMAND...: what gdb prints holds every line of WANT, in order.
debug() {
    local name=$1 want=$2 args=() c engine
    shift 2
    for c; do args+=(-ex "$c"); done
    for engine in interp jit; do
        rm -f socket
        emu --engine=$engine -g "$work/socket" ./debugged >out 2>&1 &
        listens "$work/socket"
        timeout $limit gdb-multiarch -q -nx -batch -ex 'set confirm off' -ex 'set pagination off' \
            -ex "target remote $work/socket" "${args[@]}" ./debugged >got 2>&1 </dev/null
        wait
        if awk -v want="$want" 'BEGIN { n = split(want, w, "\n"); i = 1 }
            i <= n && index($0, w[i]) { i++ } END { exit i <= n }' got
        then pass "$name, $engine"; else tail -20 got; fail "$name, $engine"; fi
    done
}

debug "a breakpoint, a backtrace, the exit status" "Breakpoint 1, twice (n=21)
in main ()
exited with code 07" "break twice" continue bt delete continue continue
debug "steps" "Breakpoint 1, main
twice (n=21)
return 2 * n
pc " "break main" continue next step "info registers pc" kill
debug "registers and memory are read and written" "0x15
= 42
= 5
v0 
exited with code 07" "break twice" continue "p/x \$w0" finish "p counter=5" "p counter" \
    "info registers v0" delete continue continue
debug "a watchpoint" "Old value = 0
New value = 42" "break main" continue "watch counter" continue kill
debug "signals are seen and passed" "received signal SIGUSR1
on_signal (sig=10)
exited with code 07" continue "break on_signal" continue delete continue
debug "detaching" "detached" "break twice" continue detach
grep -qx 77 out && pass "runs on after detaching" || fail "runs on after detaching"
