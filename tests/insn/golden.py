#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Golden counts: for each instruction test, what the translator makes of it (golden.txt), so that a
change of the generated code is seen as a readable difference.

usage: golden.py [--count PROGRAM] [--write]    compares, or with --write rewrites golden.txt
"""
import argparse
import bisect
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import a64
import run

GOLDEN = f'{a64.HERE}/golden.txt'
HEAD = """\
# What the translator makes of each instruction test; `make regold` rewrites it, a reviewer reads the change.
#
#   ir    operations after the passes, all regions of the test together
#   host  host instructions of the straight part, with AVX2, BMI, FMA, SHA and the rest
#   floor the same with SSE4.1 only
#   eval  operations without host code of their own, with everything; and on the floor, if others
"""
EVERYTHING, FLOOR = 0, 15   # enum host_off
INSTRUCTION = re.compile(r'^ *([0-9a-f]+):\t', re.M)


def read_cases(folder):
    """name of file -> its cases, assembled."""
    files = [f for f in sorted(glob.glob(f'{a64.HERE}/aarch64/*.S')) if 'harness' not in f]
    by_file = {os.path.basename(f): run.parse(f) for f in files}
    run.assemble([c for cases in by_file.values() for c in cases], folder)
    return by_file


def count(program, features_off, cases, folder):
    """(IR operations, evaluations, host instructions) of each case."""
    given = b''.join(struct.pack('<I', len(c.code)) + c.code for c in cases)
    out = subprocess.run([program, str(features_off)], input=given, stdout=subprocess.PIPE,
                         check=True).stdout
    numbers, code, starts, at = [], [], [0], 0
    for _ in cases:
        ops, evals, size = struct.unpack_from('<3I', out, at)
        numbers.append((ops, evals))
        code.append(out[at + 12:at + 12 + size])
        starts.append(starts[-1] + size)
        at += 12 + size
    per_case = [0] * len(cases)
    for address in instructions(b''.join(code), folder):
        per_case[bisect.bisect_right(starts, address) - 1] += 1
    return [(*n, i) for n, i in zip(numbers, per_case)]


def instructions(code, folder):
    """The address of each x86-64 instruction.  A long instruction has a second line only without -w."""
    path = f'{folder}/host.bin'
    with open(path, 'wb') as f:
        f.write(code)
    text = subprocess.run(['objdump', '-D', '-w', '-b', 'binary', '-m', 'i386:x86-64', path],
                          check=True, capture_output=True, text=True).stdout
    return [int(a, 16) for a in INSTRUCTION.findall(text)]


def lines(by_file, program, folder):
    """golden.txt: one line for each case, in the order of the files."""
    cases = [c for of_file in by_file.values() for c in of_file]
    full = count(program, EVERYTHING, cases, folder)
    floor = count(program, FLOOR, cases, folder)
    numbers = iter(zip(full, floor))
    yield from HEAD.splitlines()
    for name, of_file in by_file.items():
        yield f'\n{name}\n    ir  host floor  eval'
        for c in of_file:
            (ops, evals, host), (_, floor_evals, on_floor) = next(numbers)
            eval_ = f'{evals}' if evals == floor_evals else f'{evals}/{floor_evals}'
            yield f'{ops:6d}{host:6d}{on_floor:6d}{eval_ if eval_ != "0" else "":>6s}  {c.title}'


def differences(want, got):
    import difflib
    return [d for d in difflib.unified_diff(want, got, 'golden.txt', 'now', lineterm='', n=0)
            if not d.startswith('@@')]


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--count', default=f'{a64.TOP}/build/obj/release/tests/insn/count')
    ap.add_argument('--write', action='store_true')
    args = ap.parse_args()
    for tool in (a64.CROSS + 'as', 'objdump'):
        if not shutil.which(tool):
            print(f'{tool} is not installed\nskip golden, counts')
            return
    with tempfile.TemporaryDirectory(prefix='emu-golden-') as folder:
        text = '\n'.join(lines(read_cases(folder), args.count, folder)) + '\n'
    if args.write:
        with open(GOLDEN, 'w') as f:
            f.write(text)
        return
    want = open(GOLDEN).read() if os.path.exists(GOLDEN) else ''
    changed = differences(want.splitlines(), text.splitlines())
    if changed:
        print(*changed[:40], f'{len(changed)} lines differ; if that is meant: make regold, and say why',
              sep='\n')
    print(f'{"fail" if changed else "pass"} golden, IR operations and host instructions as recorded')


if __name__ == '__main__':
    sys.exit(main())
