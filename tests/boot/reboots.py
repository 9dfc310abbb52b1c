#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One small guest that reboots again and again: REBOOTS=N times (default 200; the list of recipes does four).
usage: reboots.py [OPTIONS of the machine...]     EMU_BIN has the programs, GUESTS what tools/mk-guests.sh made"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from console import Console, Died, Failed, Timeout  # noqa: E402

EMU_BIN = os.environ.get('EMU_BIN', 'build')
GUESTS = os.environ.get('GUESTS', 'build/guests')
REBOOTS = int(os.environ.get('REBOOTS', '200'))


def main():
    options = sys.argv[1:] or ['-M', 'virt', '-cpu', 'cortex-a57', '-smp', '2']
    line = [f'{EMU_BIN}/qemu-system-aarch64', *options, '-m', '512', '-nographic', '-nic', 'none', '-kernel', f'{GUESTS}/linux/arm64/vmlinuz',
            '-initrd', f'{GUESTS}/linux/arm64/initrd.gz', '-append', 'console=ttyAMA0 guest=reboot quiet']
    n = 0
    try:
        with Console(line, fail=['SELFTEST-BAD', 'Kernel panic', 'Oops:', 'rcu.*stall']) as c:
            while n < REBOOTS:
                c.expect('GUEST-READY', 120)
                c.expect('REBOOTING', 120)
                n += 1
                if n % 10 == 0:
                    print(f'{n} of {REBOOTS}', flush=True)
    except (Died, Failed, Timeout) as e:
        print(f'after {n}: {e}')
    print(f'{"pass" if n == REBOOTS else "fail"} boot, {REBOOTS} reboots in a row')
    return n != REBOOTS


if __name__ == '__main__':
    sys.exit(main())
