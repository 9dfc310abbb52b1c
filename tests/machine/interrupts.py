#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts between four CPUs, and timers, under either interrupt controller (interrupts.S); the reference, when it is
there, runs the same program to show that the test is right."""
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EMU = os.path.join(os.environ.get('EMU_BIN', 'build'), 'qemu-system-aarch64')
REF = '/usr/bin/qemu-system-aarch64'
ROUNDS = os.environ.get('ROUNDS', '2000')


def run(program, folder, gic, extra):
    argv = [program, '-M', f'virt,gic-version={gic}', '-cpu', 'cortex-a57', '-smp', '4', '-m', '64', '-display', 'none',
            '-monitor', 'none', '-serial', 'stdio', '-nic', 'none', '-kernel', f'{folder}/gic{gic}', *extra]
    try:
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=150)
        return (p.stdout + p.stderr).decode(errors='replace')
    except subprocess.TimeoutExpired as e:
        return (e.stdout or b'').decode(errors='replace') + 'an interrupt is lost, or they are very slow\n'


def main():
    if not shutil.which('aarch64-linux-gnu-gcc'):
        print('needs aarch64-linux-gnu-gcc\nskip interrupts, runs')
        return
    with tempfile.TemporaryDirectory() as folder:
        for gic in 2, 3:
            subprocess.run(['aarch64-linux-gnu-gcc', '-nostdlib', '-static', '-Wl,-Ttext=0x40080000', f'-DGIC={gic}',
                            f'-DROUNDS={ROUNDS}', '-Wl,--build-id=none,--no-warn-rwx-segments', '-o', f'{folder}/gic{gic}',
                            f'{HERE}/interrupts.S'], check=True)
            cases = [('', EMU, []), (', several times', EMU, [])] + ([(', reference', REF, [])] if os.path.exists(REF) else [])
            for name, program, extra in cases:
                out = [run(program, folder, gic, extra) for _ in range(3 if 'several' in name else 1)]
                wrong = [o for o in out if o != 'all as stated\n']
                for o in wrong:
                    print(o)
                print('fail' if wrong else 'pass', f'interrupts, four CPUs and GICv{gic}{name}', flush=True)


main()
