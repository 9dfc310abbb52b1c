#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts, exactly, how many host instructions Emu executes for one guest instruction.

Each program runs with two sizes; start-up and translation cancel out in the difference.  Host
instructions come from callgrind (generated code included), guest instructions from the reference
emulator's log: block lengths (-d in_asm) times executions (-d exec,nochain).

usage: insns.py [--emu PROGRAM] [--only NAME,...] [--reference]   (--reference: count it, too)
"""
import argparse
import collections
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
REFERENCE = '/usr/bin/qemu-aarch64'
SCALAR = '-O2 -fno-tree-vectorize'

# name, source, compiler flags, small and big arguments
PROGRAMS = [
    ('dhry', 'dhry', '-O2', '3000', '9000'),
    ('bignum', 'bignum', '-O2', '100', '300'),
    ('fib', 'fib', '-O2', '18', '21'),
    ('interp', 'interp', '-O2', '2000', '6000'),
    ('icall', 'icall', '-O2', '1', '2'),
    ('byteloop', 'byteloop', SCALAR, '2', '5'),
    ('nbody', 'nbody', '-O2', '500', '1500'),
    ('spectral', 'spectral', '-O2', '30', '50'),
    ('linpack', 'linpack', SCALAR, '1', '2'),
    ('fpmix', 'fpmix', '-O2', '10', '20'),
    ('simd', 'simd', '-O3', '20', '60'),
    ('simdfp', 'simdfp', '-O3 -ffast-math', '4', '12'),
]


def build(folder, source, flags):
    out = f'{folder}/{source}'
    subprocess.run(['aarch64-linux-gnu-gcc', *flags.split(), '-static', '-w', '-o', out,
                    f'{HERE}/src/{source}.c', '-lm', '-pthread'], check=True)
    return out


def host_instructions(folder, command):
    """What callgrind collects for the whole run, with code that the program generates."""
    p = subprocess.run(['valgrind', '--tool=callgrind', '--smc-check=all-non-file',
                        f'--callgrind-out-file={folder}/callgrind', *command],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    m = re.search(r'Collected : (\d+)', p.stderr)
    if not m or p.returncode:
        raise RuntimeError(p.stderr[-500:])
    return int(m[1])


def guest_instructions(folder, program, argument):
    lengths, runs = f'{folder}/lengths', f'{folder}/runs'
    for items, log in ('in_asm', lengths), ('exec,nochain', runs):
        subprocess.run([REFERENCE, '-d', items, '-D', log, program, argument],
                       stdout=subprocess.DEVNULL, check=True)
    size, at = {}, None
    for line in open(lengths, errors='replace'):
        m = re.match(r'(0x[0-9a-f]+):', line)
        if line.startswith('IN:'):
            at = None
        elif m:
            at = at or int(m[1], 16)
            size[at] = size.get(at, 0) + 1 if at in size else 1
    count = collections.Counter()
    for line in open(runs, errors='replace'):
        m = re.match(r'Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/', line)
        if m:
            count[int(m[1], 16)] += 1
    return sum(n * size.get(pc, 0) for pc, n in count.items())


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--emu', default=f'{TOP}/build/qemu-aarch64')
    ap.add_argument('--only', default='')
    ap.add_argument('--reference', action='store_true')
    args = ap.parse_args()
    only = set(filter(None, args.only.split(',')))
    emulators = {'emu': args.emu}
    if args.reference:
        emulators['7.2'] = REFERENCE

    print(f'{"program":10s}{"guest_insns":>13s}' +
          ''.join(f'{n + " host/guest":>16s}' for n in emulators))
    with tempfile.TemporaryDirectory(prefix='emu-insns-') as folder:
        for name, source, flags, small, big in PROGRAMS:
            if only and name not in only:
                continue
            program = build(folder, source, flags)
            guest = (guest_instructions(folder, program, big) -
                     guest_instructions(folder, program, small))
            cells = ''
            for emulator in emulators.values():
                try:
                    host = (host_instructions(folder, [emulator, program, big]) -
                            host_instructions(folder, [emulator, program, small]))
                    cells += f'{host / guest:16.2f}'
                except RuntimeError as e:
                    cells += f'{"failed":>16s}'
                    print(str(e).strip().splitlines()[-1])
            print(f'{name:10s}{guest:13d}{cells}', flush=True)


if __name__ == '__main__':
    main()
