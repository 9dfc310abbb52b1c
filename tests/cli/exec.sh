#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# execve: what the new program gets, and every failure, as in a native run of the same program;
# also in a root folder that holds nothing but the emulator and the program.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc gcc
mkdir "$work/native" "$work/emulated" && cd "$work" || exit
gcc -O1 -w -o native/execs "$SRC/execs.c" || exit 1
aarch64-linux-gnu-gcc -O1 -w -static -o emulated/execs "$SRC/execs.c" || exit 1
(cd native && ./execs) 2>&1 | sed "s,$work/native,WORK,g" >want
(cd emulated && emu ./execs) 2>&1 | sed "s,$work/emulated,WORK,g" >got
diff want got >differs; if [ ! -s differs ]; then pass "execve"; else head -20 differs; fail "execve"; fi

cat >chain.c <<'END'
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    if (argc > 3)
        return puts("ok") < 0;
    if (argc == 2 && chroot("/sub") < 0)
        return 1;
    return execl("/chain", "chain", "x", argc > 1 ? "y" : NULL, "z", NULL);
}
END
aarch64-linux-gnu-gcc -static -o chain chain.c || exit 1
if unshare -Ur true 2>/dev/null || [ "$(id -u)" = 0 ]; then
    mkdir -p bare/sub && cp chain bare && cp chain bare/sub && cp -L "$EMU" bare/emu
    prints "an empty root folder, then another" ok unshare -Ur chroot bare /emu /chain
fi
