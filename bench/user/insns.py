#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts, exactly, how many host instructions Emu executes for one guest instruction.

Each program runs with two sizes; start-up and translation cancel out in the difference, since what is hot
in the bigger one is so in the smaller, too (--hot-after=1000; programs' default is more).  Host
instructions come from callgrind (generated code included), guest instructions from the reference
emulator's log: block lengths (-d in_asm) times executions (-d exec,nochain).

The table is kept in insns.txt: guest counts are taken from there while the program's file is the same.

usage: insns.py [--emu PROGRAM] [--only NAME,...] [--reference] [--keep]
  --reference  count the reference emulator, too
  --keep       rewrite insns.txt (all programs)
"""
import argparse
import collections
import concurrent.futures
import hashlib
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TABLE = f'{HERE}/insns.txt'
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
    ('linpack', 'linpack', SCALAR + ' -DN=60', '1', '3'),
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
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, 'EMU_OPTS': '--hot-after=1000'})
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


def kept():
    """What insns.txt says: {(program, file's hash): guest instructions}"""
    if not os.path.exists(TABLE):
        return {}
    rows = [line.split() for line in open(TABLE) if line[0] not in '#\n']
    return {(r[0], r[-1]): int(r[1]) for r in rows}


def measure(top, row, emulators, known):
    """One row of the table: guest instructions, host instructions of each emulator, the file's hash."""
    name, source, flags, small, big = row
    folder = tempfile.mkdtemp(dir=top)
    program = build(folder, source, flags)
    digest = hashlib.sha256(open(program, 'rb').read()).hexdigest()[:12]
    guest = known.get((name, digest))
    if not guest:
        guest = guest_instructions(folder, program, big) - guest_instructions(folder, program, small)
    host = [host_instructions(folder, [e, program, big]) - host_instructions(folder, [e, program, small])
            for e in emulators]
    return name, guest, host, digest


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--emu', default=f'{TOP}/build/qemu-aarch64')
    ap.add_argument('--only', default='')
    ap.add_argument('--reference', action='store_true')
    ap.add_argument('--keep', action='store_true')
    args = ap.parse_args()
    only = set(filter(None, args.only.split(',')))
    emulators = {'emu': args.emu}
    if args.reference:
        emulators['7.2'] = REFERENCE

    lines = ['# Host instructions for one guest instruction; make bench-insns rewrites this, a reviewer reads the '
             'change.', '#',
             f'{"# program":12s}{"guest":>11s}' +
             ''.join(f'{n:>12s}{"host/guest":>12s}' for n in emulators) + '  file']
    print(lines[-1])
    with tempfile.TemporaryDirectory(prefix='emu-insns-') as top, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        known = kept()
        rows = [pool.submit(measure, top, p, emulators.values(), known)
                for p in PROGRAMS if not only or p[0] in only]
        for row in rows:
            name, guest, host, digest = row.result()
            lines.append(f'{name:12s}{guest:11d}' + ''.join(f'{h:12d}{h / guest:12.3f}' for h in host) +
                         f'  {digest}')
            print(lines[-1], flush=True)
    if args.keep:
        if only or args.reference:
            raise SystemExit('--keep is for all programs, with Emu alone')
        with open(TABLE, 'w') as f:
            f.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
