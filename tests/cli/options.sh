#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line: options, environment variables, argv[0], scripts, exit statuses.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc
unset EMU_BINFMT
cc() { aarch64-linux-gnu-gcc -O1 -static -o "$work/$1" "$SRC/$1.c"; }
cc show && cc ends || exit 1
show=$work/show

prints "arguments pass through" "arg 1 a b
arg 2 -cpu
arg 3 " emu "$show" args "a b" -cpu ""
prints "-0 sets argv[0]" "arg 0 other" emu -0 other "$show" arg0
prints "QEMU_ARGV0 sets argv[0]" "arg 0 third" env QEMU_ARGV0=third "$EMU" "$show" arg0
prints "-E adds to the environment" "A=1 2" emu -E "A=1 2" "$show" env A
prints "-E with several" "B=2" emu -E A=1,B=2 "$show" env B
prints "QEMU_SET_ENV" "A=x" env QEMU_SET_ENV=A=x "$EMU" "$show" env A
prints "-U removes from the environment" "HOMEX unset" env HOMEX=1 "$EMU" -U HOMEX "$show" env HOMEX
prints "-cpu accepts the names of models" "ok" emu -cpu cortex-a57 "$show" ok
# emu-user is no architecture's name: the program says whose it is.
any=$(dirname "$EMU")/emu-user
[ -e "$any" ] || { ln -s "$(readlink -f "$EMU")" "$work/emu-user"; any=$work/emu-user; }
prints "the program says whose it is" "ok" "$any" "$show" ok
prints "--arch says whose the program is" "ok" "$any" --arch=aarch64 -cpu max "$show" ok
"$any" --arch=aarch46 "$show" ok 2>"$work/.err"
[ $? = 1 ] && grep -q "aarch46.*did you mean aarch64" "$work/.err" && pass "a wrong --arch is told" || fail "a wrong --arch is told"
"$any" -cpu nothing "$show" ok 2>"$work/.err"
[ $? = 1 ] && grep -q "no such CPU model" "$work/.err" && pass "a wrong -cpu is told when the program is known" || fail "a wrong -cpu is told when the program is known"
prints "QEMU_CPU" "ok" env QEMU_CPU=max "$EMU" "$show" ok
prints "-s sets the size of the stack" "ok" emu -s 16M "$show" stack 12
prints "8 MiB of stack by default" "ok" emu "$show" stack 7
prints "the stack limit is honoured" "ok" bash -c "ulimit -s 40000; '$EMU' '$show' stack 35"
works "-version says so" emu -version
grep -q "version" "$work/.got" && pass "-version names a version" || fail "-version names a version"
works "--help" emu --help
emu -strace "$show" ok >/dev/null 2>"$work/.err"
if grep -q 'write(1,' "$work/.err" && grep -q 'exit_group(0)' "$work/.err"; then pass "-strace"; else tail -3 "$work/.err"; fail "-strace"; fi
emu -D "$work/log" -d in_asm "$show" ok >/dev/null 2>&1
if [ -s "$work/log" ]; then pass "-d in_asm -D FILE"; else fail "-d in_asm -D FILE"; fi
prints "/proc/self/exe is the guest program" "$show" emu "$show" exe
prints "/proc/self/cmdline is the guest's" "$show|cmdline|x|" emu "$show" cmdline x
prints "/proc/self/maps shows the guest's memory" "ok" emu "$show" maps
prints "/proc/self/auxv is the guest's" "ok" emu "$show" auxv
prints "/proc/cpuinfo is an arm64 one" "ok" emu "$show" cpuinfo
for status in 0 1 77 255; do
    emu "$work/ends" exit $status
    [ $? = $status ] && pass "exit status $status" || fail "exit status $status"
done
for sig in 6 11 9 15; do
    (ulimit -c 0; exec "$EMU" "$work/ends" signal $sig) >/dev/null 2>&1
    [ $? = $((128 + sig)) ] && pass "ends by signal $sig" || fail "ends by signal $sig"
done
cp "$show" "$work/show2"
printf '#!%s args one\n' "$show" >"$work/script"; chmod +x "$work/script"
prints "a script's interpreter line" "arg 1 one
arg 2 $work/script
arg 3 x" bash -c "'$EMU' '$work/script' x | sed 's/^arg 1 args one/arg 1 one/'"
prints "execve of a guest program" "arg 0 renamed" emu "$show" exec "$show" renamed
prints "execve of a host program" "host program" emu "$show" run /bin/echo host program
prints "--engine=interp" ok emu --engine=interp "$show" ok
prints "--engine=jit" ok emu --engine=jit "$show" ok
prints "--hot-after=1, --passes-off, --host-off" ok emu --hot-after=1 --exact-flags=on \
    --passes-off=hoist,sink --host-off=avx,bmi,fma,crypto "$show" ok
prints "--passes-off=flat" ok emu --passes-off=flat --hot-after=never "$show" ok
prints "--hot-after=never" ok emu --hot-after=never "$show" ok
prints "a code cache that is too small is emptied again and again" ok \
    emu --cache-size=256k -one-insn-per-tb "$show" ok
prints "EMU_OPTS" ok env EMU_OPTS="--hot-after=1 --engine=interp" "$EMU" "$show" ok

# logs ITEMS PATTERN OPTIONS...: -d ITEMS writes a line that matches.
logs() {
    local items=$1 pattern=$2
    shift 2
    emu -D "$work/log" -d "$items" "$@" "$show" ok >/dev/null 2>&1
    if grep -q "$pattern" "$work/log"; then pass "-d $items $*"; else fail "-d $items $*"; fi
}
logs strace 'exit_group(0)'
logs exec,nochain '^Trace .*: 0x.*cold'
logs exec,nochain '^Trace .*: 0x.*hot' --hot-after=2
logs exec '^Trace .*interpreted' --engine=interp
logs exec,cpu 'X30=0.*SP='
logs fpu 'Q30=0' --engine=interp
logs int '^Stop .*system call, pc 0x'
logs ir_opt,out_asm '^OUT: '
emu -D "$work/log" -d in_asm,out_asm "$show" ok >/dev/null 2>&1
"$TOP/tools/out-asm.py" "$work/log" >"$work/asm"
if grep -q ': d4000001 *svc *#0x0' "$work/asm" && grep -q ' jmp ' "$work/asm"; then
    pass "out-asm.py disassembles both sides of a log"
else
    fail "out-asm.py disassembles both sides of a log"
fi
works "a closed standard output is no crash" bash -c "'$EMU' '$work/ends' exit 0 >&-"

need strace
calls=$(strace -f -o /dev/stdout "$EMU" "$work/ends" exit 0 2>/dev/null | grep -c '(')
if [ "$calls" -lt 75 ]; then    # 60 of our own and the guest's
    pass "start-up makes few system calls"
else
    echo "$calls system calls"
    fail "start-up makes few system calls"
fi
