#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests that generate code: LuaJIT, Node.js, OpenJDK, PCRE2, libffi's closures, a double mapping.
. "$(dirname "$0")/../lib.sh"
need_roots
limit=150
cp "$TOP"/bench/user/scripts/jit.* "$SRC"/jit/* "$work"

same "luajit" /usr/bin/luajit /share/jit.lua 1
same "luajit with FFI callbacks" /usr/bin/luajit /share/ffi.lua
same "node runs" /usr/bin/node -e 'console.log(process.version, [3, 1, 2].sort().join())'
same "node, hot functions" /usr/bin/node /share/jit.js 1
same "node: exceptions, generators, workers, regular expressions, WebAssembly" /usr/bin/node /share/features.js
same "node: functions come and go" /usr/bin/node --expose-gc /share/heat.js
EMU_OPTS=--cache-size=4M same "node in a small code cache" /usr/bin/node /share/features.js
same "node: crypto and zlib" /usr/bin/node /share/crypto.js
same "grep -P" /bin/grep -cP '^(?=.*[a-z]{6}\s)(\w)\w*\W+(?!\1)' /usr/share/perl/5.36/perl5db.pl
same "python calls back through libffi" /usr/bin/python3 -c '
import ctypes
cmp = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
a = (ctypes.c_int * 500)(*((i * 7919) % 1009 for i in range(500)))
ctypes.CDLL(None).qsort(a, 500, 4, cmp(lambda x, y: x[0] - y[0])); print(list(a)[:20], a[499])'

if native /bin/sh -c 'cd /share && /usr/lib/jvm/java-17-openjdk-amd64/bin/javac -d . Features.java' >"$work/log" 2>&1; then
    same "java runs" /usr/bin/java -Xshare:auto -cp /share Hello
    same "java interpreted" /usr/bin/java -Xint -cp /share Features 2
    same "java, hot methods, null checks, exceptions, threads" /usr/bin/java -cp /share Features 40
else
    tail -3 "$work/log"
    skip "java" "javac does not run in the native root"
fi

[ "${EMU##*-}" = aarch64 ] || exit 0 # x86's generated code is in tests/cli/x86.sh: nothing says that it was written
need aarch64-linux-gnu-gcc
aarch64-linux-gnu-gcc -O1 -static -pthread -o "$work/selfmod" "$SRC/selfmod.c"
for options in "" "--engine=interp" "--cache-size=512k --hot-after=2"; do
    prints "generated code${options:+, $options}" "ok" emu $options "$work/selfmod"
done
