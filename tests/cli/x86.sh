#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# x86-64 and i386 programs: beside the same program run by the processor itself.
. "$(dirname "$0")/../lib.sh"
limit=20
need gcc
[ "$(uname -m)" = x86_64 ] || { skip "runs" "needs an x86-64 machine"; exit 0; }
bin=$(dirname "$EMU")

# both NAME WORD COMMAND...: qemu-x86_64 or qemu-i386 (WORD 64 or 32) and the processor print the same.
both() {
    local name=$1 emu=$bin/qemu-x86_64
    [ "$2" = 64 ] || emu=$bin/qemu-i386
    shift 2
    timeout -k 5 "$limit" "$@" >"$work/.want" 2>/dev/null </dev/null
    echo "status $?" >>"$work/.want"
    for engine in jit interp; do
        timeout -k 5 "$limit" "$emu" --engine=$engine "$@" >"$work/.got" 2>"$work/.err" </dev/null
        echo "status $?" >>"$work/.got"
        verdict "$name [$engine]"
    done
}

for word in 64 32; do
    gcc -m$word -nostdlib -static -o "$work/hello$word" "$SRC/x86/hello$word.S" || exit 1
    both "a $word-bit program has its arguments and ends" $word "$work/hello$word" "hello, world" x y
done
gcc -O1 -static -o "$work/map32" "$SRC/x86/map32.c" || exit 1
both "MAP_32BIT" 64 "$work/map32"
for word in 64 32; do
    if gcc -m$word -O1 -static -pthread -o "$work/smc$word" "$SRC/x86/smc.c" 2>"$work/.err"; then
        both "code that is written without a word is noticed, $word bits" $word "$work/smc$word"
    else
        tail -1 "$work/.err"
        skip "code that is written without a word is noticed, $word bits" "needs a C library of $word bits"
    fi
done
prints "emu-user knows an i386 program" "hi" sh -c "'$bin/emu-user' '$work/hello32' hi; [ \$? = 2 ] && echo"
"$bin/qemu-x86_64" "$work/hello32" x 2>"$work/.err"
[ $? = 126 ] && grep -q "i386 program; use qemu-i386" "$work/.err" && pass "qemu-x86_64 refuses an i386 program" ||
    { cat "$work/.err"; fail "qemu-x86_64 refuses an i386 program"; }
"$bin/qemu-x86_64" -cpu max,+nosuch "$work/hello64" x 2>"$work/.err"
[ $? = 1 ] && grep -q "unknown property '+nosuch'" "$work/.err" && pass "an unknown CPU flag is told" ||
    { cat "$work/.err"; fail "an unknown CPU flag is told"; }
works "-cpu help" "$bin/qemu-i386" -cpu help
"$bin/qemu-i386" -strace "$work/hello32" abc >/dev/null 2>"$work/.err"
if grep -q 'write(1,"abc",3) = 3' "$work/.err" && grep -q 'exit_group(2)' "$work/.err"; then pass "-strace of i386"; else cat "$work/.err"; fail "-strace of i386"; fi
