#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests of the system level, tests/sys/aarch64/*.S, on every engine and on the reference; see README.md.
usage: run.py [--machine PROGRAM] [--engine NAME] [-v] [FILE.S ...]"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CROSS = 'aarch64-linux-gnu-'
ENGINES = {'interp': ['--engine', 'interp'], 'cold': ['--engine', 'jit', '--hot-after', '-1'],
           'hot': ['--engine', 'jit', '--hot-after', '1']}
DONE = 'all as stated\n'


class Test:
    """A file, and how its head says that it is run: "cpu: max cortex-a53", "machine: el2 smp=2", "skip: ENGINE reason"."""
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-2]
        head = open(path).read()
        found = dict(re.findall(r'^ \* (cpu|machine|only): (.*?)(?: \*/)?$', head, re.M))
        self.cpus = found.get('cpu', 'max').split()
        words = found.get('machine', '').split()
        self.el2 = 'el2' in words
        self.smp = next((w[4:] for w in words if w.startswith('smp=')), '1')
        self.skip = dict(re.findall(r'^ \* skip: (\S+) (.*?)(?: \*/)?$', head, re.M))

    def build(self, folder, reference):
        elf = f'{folder}/{self.name}{"-ref" if reference else ""}.elf'
        subprocess.run([CROSS + 'gcc', '-nostdlib', '-static', '-march=armv8.5-a+crypto', f'-Wl,-T,{HERE}/aarch64/link.ld',
                        '-Wl,--build-id=none,--no-warn-rwx-segments', '-o', elf, self.path] + (['-DREFERENCE'] if reference else []),
                       check=True)
        return elf

    def command(self, engine, cpu, elf, args):
        if engine == 'reference':
            board = 'virt' + (',virtualization=on' if self.el2 else '')
            return [args.reference, '-M', board, '-cpu', cpu, '-smp', self.smp, '-m', '64', '-display', 'none', '-serial',
                    'stdio', '-monitor', 'none', '-kernel', elf]
        raw = elf[:-4] + '.bin'
        subprocess.run([CROSS + 'objcopy', '-O', 'binary', elf, raw], check=True)
        return [args.machine, '--cpu', cpu, '--smp', self.smp] + ENGINES[engine] + (['--el2'] if self.el2 else []) + [raw]


def run(command):
    try:
        r = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return r.stdout.decode(errors='replace')[-4000:], r.stderr.decode(errors='replace')[-1000:], r.returncode
    except subprocess.TimeoutExpired as e:
        return (e.stdout or b'').decode(errors='replace')[-4000:], 'does not end', -1


def one(test, engine, cpu, folder, args):
    name = f'sys, {test.name} on {engine}, {cpu}'
    if engine in test.skip:
        print(f'{test.skip[engine]}\nskip {name}')
        return
    if engine == 'reference' and not args.reference:
        print(f'qemu-system-aarch64 is not installed\nskip {name}')
        return
    out, err, status = run(test.command(engine, cpu, test.build(folder, engine == 'reference'), args))
    if out == DONE and status == 0:
        print(f'pass {name}')
    else:
        print(out.rstrip(), err.rstrip(), f'status {status}', f'fail {name}', sep='\n')


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--machine', default='build/obj/release/tests/sys/machine')
    ap.add_argument('--engine', action='append', choices=[*ENGINES, 'reference'])
    ap.add_argument('-v', action='store_true')
    ap.add_argument('files', nargs='*')
    args = ap.parse_args()
    args.reference = shutil.which('qemu-system-aarch64')
    with tempfile.TemporaryDirectory() as folder:
        for path in args.files or sorted(glob.glob(f'{HERE}/aarch64/*.S')):
            test = Test(path)
            for engine in args.engine or [*ENGINES, 'reference']:
                for cpu in test.cpus:
                    one(test, engine, cpu, folder, args)
    return 0


if __name__ == '__main__':
    sys.exit(main())
