#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo of a machine: Debian's arm64 installer to its language screen, in this terminal.  With UNATTENDED=1, or without a terminal, it shows
# the screen and ends by itself.   usage: tools/demo-machine.sh EMULATOR GUESTS
set -eu
here=$(dirname "$0")
set -- "$1" -machine virt -cpu cortex-a53 -m 1024 -kernel "$2/di/arm64/linux" -initrd "$2/di/arm64/initrd.gz" -nographic
printf '\n== %s\n' "$*"
if [ -z "${UNATTENDED:-}" ] && [ -t 0 ] && [ -t 1 ]; then
    echo "== Ctrl-A x ends it, Ctrl-A c leads to its monitor, Ctrl-A h helps."
    sleep 3
    exec "$@"
fi
exec python3 - "$here/../tests/boot" "$@" <<'E2'
import sys
sys.path.insert(0, sys.argv[1])
from console import Console
with Console(sys.argv[2:]) as c:
    c.expect('Select a language|Choose language', 600, screen=True)
    c.drain(2)
    print(c.screen.text())
    print(f'\n== the installer asks for its language after {c.elapsed():.0f} seconds')
E2
