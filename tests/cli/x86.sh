#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# x86-64 and i386 programs: beside the same program run by the processor itself.
. "$(dirname "$0")/../lib.sh"
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
gcc -O1 -static -o "$work/aligned" "$SRC/x86/aligned.c" || exit 1
both "misaligned operands fault" 64 "$work/aligned"
prints "misaligned operands fault [hot]" "$("$work/aligned")" "$bin/qemu-x86_64" --hot-after=1 "$work/aligned"
gcc -O1 -static -mno-red-zone -o "$work/flags" "$SRC/x86/flags.c" || exit 1
both "functions return flags" 64 "$work/flags"
emu_ran=$("$bin/qemu-x86_64" --hot-after=1 "$work/flags") && [ "$emu_ran" = "$("$work/flags")" ] && pass "functions return flags, compiled at once" ||
    fail "functions return flags, compiled at once"
for word in 64 32; do
    if gcc -m$word -O1 -static -pthread -o "$work/smc$word" "$SRC/x86/smc.c" 2>"$work/.err"; then
        both "code that is written without a word is noticed, $word bits" $word "$work/smc$word"
    else
        tail -1 "$work/.err"
        skip "code that is written without a word is noticed, $word bits" "needs a C library of $word bits"
    fi
done
# What an Intel processor does; others may differ in what the manual leaves open.
for word in 64 32; do
    [ $word = 64 ] && emu=$bin/qemu-x86_64 || emu=$bin/qemu-i386
    for p in stores xsave; do
        gcc -m$word -mavx2 -O1 -static -o "$work/$p$word" "$SRC/x86/$p.c" 2>"$work/.err" && continue
        tail -1 "$work/.err"
        skip "$p, $word bits" "needs a C library of $word bits"
        continue 2
    done
    for engine in jit interp; do
        prints "a store that faults writes what the processor writes, $word bits [$engine]" "as stated" "$emu" -cpu max --engine=$engine "$work/stores$word"
        prints "the XSAVE family, $word bits [$engine]" "$(cat "$SRC/x86/xsave.txt")" "$emu" -cpu max --engine=$engine "$work/xsave$word"
    done
done
prints "emu-user knows an i386 program" "hi" sh -c "'$bin/emu-user' '$work/hello32' hi; [ \$? = 2 ] && echo"
"$bin/qemu-x86_64" "$work/hello32" x 2>"$work/.err"
[ $? = 126 ] && grep -q "i386 program; use qemu-i386" "$work/.err" && pass "qemu-x86_64 refuses an i386 program" ||
    { cat "$work/.err"; fail "qemu-x86_64 refuses an i386 program"; }
# refused NAME MESSAGE ARGS...
refused() {
    "$bin/qemu-x86_64" "${@:3}" "$work/hello64" x 2>"$work/.err"
    [ $? = 1 ] && grep -qF -- "$2" "$work/.err" && pass "$1" || { cat "$work/.err"; fail "$1"; }
}
refused "an unknown CPU flag is told" "CPU model 'max' has no property 'nosuch'" -cpu max,+nosuch
refused "a CPU flag with a letter wrong is told" "CPU model 'max' has no property 'avx3'; did you mean 'avx'?" -cpu max,+avx3
refused "an unknown CPU model is told" "unable to find CPU model 'Haswel'; did you mean 'Haswell'?" -cpu Haswel
refused "a CPU without long mode" "-cpu '486': the CPU has no 64-bit mode" -cpu 486
prints "-cpu help" "x86 Haswell-v2            Intel Core Processor (Haswell, no TSX) Recognized CPUID flags: 3dnow 3dnowext" \
    sh -c "'$bin/qemu-i386' -cpu help | awk '\$2 == \"Haswell-v2\" { printf \"%s \", \$0 } /CPUID/ { getline l; split(l, w); print \$0, w[1], w[2] }'"
gcc -O1 -static -o "$work/cpuid" "$SRC/x86/cpuid.c"
prints "a model's CPUID and capabilities" "GenuineIntel 6 60 avx2 0 sse4.2 1" "$bin/qemu-x86_64" -cpu Haswell,-avx2 "$work/cpuid"
prints "another's" "AuthenticAMD 23 1 avx2 1 sse4.2 1" "$bin/qemu-x86_64" -cpu EPYC "$work/cpuid"
prints "a host without AVX2 has none to offer" "GenuineIntel 6 60 avx2 0 sse4.2 1" \
    "$bin/qemu-x86_64" -cpu Nehalem "$bin/qemu-x86_64" -cpu Haswell "$work/cpuid"
prints "the model in /proc/cpuinfo" "model name	: Intel Core i7 9xx (Nehalem Class Core i7)" \
    sh -c "'$bin/qemu-x86_64' -cpu Nehalem /bin/cat /proc/cpuinfo | grep -m1 'model name'"
"$bin/qemu-i386" -strace "$work/hello32" abc >/dev/null 2>"$work/.err"
if grep -q 'write(1,"abc",3) = 3' "$work/.err" && grep -q 'exit_group(2)' "$work/.err"; then pass "-strace of i386"; else cat "$work/.err"; fail "-strace of i386"; fi
