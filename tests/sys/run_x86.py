#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the x86 tests of the system level, tests/sys/x86/*.S, on every engine, on our pc and on the reference: each prints what is in
the .txt of its name, or in NAME.ENGINE.txt.  See README.md.
usage: run_x86.py [--machine PROGRAM] [--programs FOLDER] [--engine NAME] [FILE.S ...]"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ENGINES = {'interp': ['--engine', 'interp'], 'cold': ['--engine', 'jit', '--hot-after', '-1'],
           'hot': ['--engine', 'jit', '--hot-after', '1'],
           'reload': ['--engine', 'jit', '--hot-after', '1', '--reload', 'on']}
MACHINES = ['pc', 'reference']  # whole machines: ours, and the other one


def build(path, folder, engine):
    """64 KiB of firmware."""
    elf, raw = f'{folder}/test.elf', f'{folder}/test.bin'
    subprocess.run(['gcc', f'-D{engine.upper()}', '-nostdlib', '-static', '-m32', f'-Wl,-T,{HERE}/x86/link.ld', '-Wl,-melf_i386',
                    '-Wl,--build-id=none,--no-warn-rwx-segments', '-o', elf, path], check=True)
    subprocess.run(['objcopy', '-O', 'binary', elf, raw], check=True)
    return raw


def command(engine, raw, cpu, program, args):
    if engine not in MACHINES:
        return [args.machine, '--cpu', cpu] + ENGINES[engine] + [raw]
    if engine == 'pc':
        program = f'{args.programs}/{program}'
    return [program, '-M', 'pc', '-accel', 'tcg', '-cpu', cpu, '-m', '16', '-smp', '2', '-display', 'none', '-nodefaults', '-bios', raw, '-debugcon',
            'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-no-reboot']


def run(cmd):
    try:
        r = subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return r.stdout.decode(errors='replace')[-32000:], r.stderr.decode(errors='replace')[-1000:], r.returncode
    except subprocess.TimeoutExpired as e:
        return (e.stdout or b'').decode(errors='replace')[-32000:], 'does not end', -1


def one(path, engine, args):
    head = open(path).read()
    stem = os.path.basename(path)[:-2]
    words = dict(re.findall(r'^ \* (cpu|reference|skip [a-z]+): (.*?)(?: \*/)?$', head, re.M))
    name = f'sys, x86 {stem} on {engine}'
    program = words.get('reference', 'qemu-system-x86_64')
    reason = words.get(f'skip {engine}') or (engine == 'reference' and not shutil.which(program) and f'{program} is not installed')
    if reason:
        print(f'{reason}\nskip {name}')
        return
    with tempfile.TemporaryDirectory(prefix='emu-sys-') as folder:
        out, err, status = run(command(engine, build(path, folder, engine), words.get('cpu', 'max'), program, args))
    told = f'{path[:-2]}.{engine}.txt' # what one does otherwise
    if out == open(told if os.path.exists(told) else f'{path[:-2]}.txt').read() and status == 33:
        print(f'pass {name}')
    else:
        print(out.rstrip(), err.rstrip(), f'status {status}', f'fail {name}', sep='\n')


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--machine', default='build/obj/release/tests/sys/machine_x86')
    ap.add_argument('--programs', default='build', help='where our qemu-system-x86_64 is')
    ap.add_argument('--engine', action='append', choices=[*ENGINES, *MACHINES])
    ap.add_argument('files', nargs='*')
    args = ap.parse_args()
    for path in args.files or sorted(glob.glob(f'{HERE}/x86/*.S')):
        for engine in args.engine or [*ENGINES, *MACHINES]:
            one(path, engine, args)


if __name__ == '__main__':
    main()
