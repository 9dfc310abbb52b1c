#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every -cpu model tells guests what the reference's tells them: all leaves of CPUID (x86/cpuid.S), but for the bits listed here with
their reasons.
usage: cpuid_models.py [--programs FOLDER] [--show] [MODEL ...]"""
import argparse
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from run_x86 import build, HERE

# (leaf, subleaf, register, bit): what we have and the reference has not, as a machine without hardware's help.
EXTRA = {
    (1, 0, 'c', 17): 'PCID', (1, 0, 'c', 21): 'x2APIC', (1, 0, 'c', 24): 'TSC deadline', (1, 0, 'd', 1): 'VME',
    (7, 0, 'b', 10): 'INVPCID', (7, 0, 'b', 18): 'RDSEED', (7, 0, 'b', 29): 'SHA', (7, 0, 'c', 22): 'RDPID',
    (7, 0, 'd', 4): 'fast short REP MOV', (0xd, 1, 'a', 1): 'XSAVEC', (0xd, 1, 'a', 3): 'XSAVES',
    (0x80000001, 0, 'c', 7): 'misaligned SSE', (0x80000001, 0, 'c', 8): '3DNow! prefetch', (0x80000001, 0, 'd', 1): 'VME',
    (0x80000001, 0, 'd', 25): 'FFXSR', (0x8000000a, 0, 'd', 3): 'nRIP', (0x8000000a, 0, 'd', 5): 'clean bits',
    (0x8000000a, 0, 'd', 6): 'flush by ASID', (0x8000000a, 0, 'd', 7): 'decode assists', (0x8000000a, 0, 'd', 10): 'pause filter',
}
# What the reference has and we have not.
LACKING = {
    (7, 0, 'a', 0): 'subleaf 1, which says nothing there', (7, 0, 'b', 14): 'MPX', (7, 0, 'b', 22): 'PCOMMIT',
    (7, 0, 'c', 9): 'VAES', (7, 0, 'c', 31): 'PKS', (0x80000001, 0, 'd', 30): '3DNow!', (0x80000001, 0, 'd', 31): '3DNow!',
}
# Not compared: leaf Dh, where the reference names components of features that it leaves out, and gives sizes of all components instead of
# those that XCR0 enables; max is named after whose it is.
LEAVES = {'0000000D': None, '80000002': 'max', '80000003': 'max', '80000004': 'max'}


def models(program):
    lines = subprocess.run([program, '-cpu', 'help'], capture_output=True, text=True).stdout.splitlines()
    return [line.split()[1] for line in lines if line.startswith('x86 ') and '(alias' not in line]


def told(program, model, raw):
    cmd = [program, '-M', 'pc', '-accel', 'tcg', '-cpu', model, '-m', '16', '-display', 'none', '-nodefaults', '-bios', raw, '-debugcon',
           'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-no-reboot']
    r = subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return dict(line.split(': ') for line in r.stdout.splitlines() if ': ' in line)


def differences(model, ours, theirs):
    """Those that nothing explains."""
    for key in sorted(ours.keys() | theirs.keys()):
        leaf, sub = key.split('.')
        if ours.get(key) == theirs.get(key) or (leaf in LEAVES and LEAVES[leaf] in (None, model) and sub != '00000001'):
            continue
        if key not in ours or key not in theirs:
            yield f'{key} {"is missing" if key in theirs else "is not there"}'
            continue
        for reg, a, b in zip('abcd', ours[key].split(), theirs[key].split()):
            a, b = int(a, 16), int(b, 16)
            for bit in range(32):
                where = int(leaf, 16), int(sub, 16), reg, bit
                if (a ^ b) >> bit & 1 and where not in (EXTRA if a >> bit & 1 else LACKING) and (leaf, reg) != ('0000000D', 'b'):
                    yield f'{key} {reg}: bit {bit} is {a >> bit & 1}'


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--programs', default='build', help='where our qemu-system-x86_64 is')
    ap.add_argument('--show', action='store_true', help='print the leaves of each model')
    ap.add_argument('models', nargs='*')
    args = ap.parse_args()
    for program in 'qemu-system-x86_64', 'qemu-system-i386':
        name = f'sys, cpuid of all models, {program[12:]}'
        if not shutil.which(program):
            print(f'{program} is not installed\nskip {name}')
            continue
        bad = []
        with tempfile.TemporaryDirectory(prefix='emu-sys-') as folder:
            raw = build(f'{HERE}/x86/cpuid.S', folder, 'pc')
            names = [m for m in args.models or models(program) if m not in ('host', 'base')]
            with ThreadPoolExecutor(2) as pool:
                both = list(pool.map(lambda m: (told(f'{args.programs}/{program}', m, raw), told(program, m, raw)), names))
            for model, (ours, theirs) in zip(names, both):
                bad += [f'{model}: {d}' for d in differences(model, ours, theirs)]
                if not ours or not theirs:
                    bad.append(f'{model}: prints nothing')
                for key in ours if args.show else ():
                    print(model, key, ours[key])
        print(*bad[:40], sep='\n', end='\n' if bad else '')
        print('fail' if bad else 'pass', name)


if __name__ == '__main__':
    main()
