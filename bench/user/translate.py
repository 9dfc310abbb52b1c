#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts what the first tier costs: host instructions to translate one guest instruction, and the CPU time
of a whole run that executes nothing often, per guest instruction translated.

Host instructions come from callgrind, collected inside form_cold_locked() only; guest instructions from
the log of translated code (-d in_asm).  The time is the minimum of some runs.

usage: translate.py [--emu PROGRAM] [--roots DIR] [--only NAME,...] [--runs N] [--keep]
  --keep       rewrite translate.txt: coldcode of both guests, which is much the same everywhere
"""
import argparse
import os
import re
import resource
import subprocess
import tempfile

import inputs
import insns

TOP = insns.TOP
COLD = ['--hot-after=never', '--tcache=off']
KEPT = ['coldcode', 'coldcode-x86']


def cold_program(folder, compiler):
    """Two thousand functions, each run once."""
    with open(f'{folder}/cold.c', 'w') as f:
        f.write(inputs.cold_code(2000))
    subprocess.run([compiler, '-O1', '-static', '-o', f'{folder}/{compiler}', f'{folder}/cold.c'], check=True)
    return f'{folder}/{compiler}'


def workloads(folder, roots):
    """name -> (options, command)"""
    found = {KEPT[0]: ([], [cold_program(folder, 'aarch64-linux-gnu-gcc'), '1']),
             KEPT[1]: ([], [cold_program(folder, 'x86_64-linux-gnu-gcc'), '1'])}
    root = f'{roots}/arm64'
    for name, command in (('python', ['usr/bin/python3', '-S', '-E', '-c', 'pass']),
                          ('gcc', ['usr/bin/gcc', '--version']),
                          ('bash', ['bin/bash', '-c', 'for i in 1 2 3; do x=$x$i; done'])):
        if os.path.exists(f'{root}/{command[0]}'):
            found[name] = (['-L', root], [os.path.realpath(f'{root}/{command[0]}'), *command[1:]])
        else:
            print(f'skip {name}: there is no {root}/{command[0]} (make roots)')
    return found


def run(command):
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def guest_instructions(folder, emu, options, command):
    log = f'{folder}/in_asm'
    run([emu, *COLD, *options, '-d', 'in_asm', '-D', log, *command])
    with open(log, errors='replace') as f:
        return sum(line.startswith('0x') for line in f)


def host_instructions(folder, command):
    p = subprocess.run(['valgrind', '--tool=callgrind', '--smc-check=all-non-file',
                        '--toggle-collect=form_cold_locked', f'--callgrind-out-file={folder}/callgrind',
                        *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    m = re.search(r'Collected : (\d+)', p.stderr)
    if not m or p.returncode:
        raise RuntimeError(p.stderr[-500:])
    return int(m[1])


def cpu_seconds(command, runs):
    def used():
        u = resource.getrusage(resource.RUSAGE_CHILDREN)
        return u.ru_utime + u.ru_stime

    times = []
    for _ in range(runs):
        start = used()
        run(command)
        times.append(used() - start)
    return min(times)


HEAD = '''\
# What the first tier costs; make bench-translate rewrites this, a reviewer reads the change.
#
# guest   guest instructions translated, in a run with --hot-after=never --tcache=off
# host    host instructions to translate each, exact
# us      CPU time of the whole run for each: start, system calls and the code itself included; the machine's
#
'''


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--emu', default=f'{TOP}/build/qemu-aarch64')
    ap.add_argument('--roots', default=f'{TOP}/build/root')
    ap.add_argument('--only', default='')
    ap.add_argument('--runs', type=int, default=9)
    ap.add_argument('--keep', action='store_true')
    args = ap.parse_args()
    only = set(filter(None, args.only.split(',')))

    table = f'{"# program":12s}{"guest":>10s}{"host":>8s}{"us":>8s}\n'
    kept = ''
    print(table, end='')
    with tempfile.TemporaryDirectory(prefix='emu-translate-') as folder:
        for name, (options, command) in workloads(folder, args.roots).items():
            if only and name not in only:
                continue
            emu = f'{os.path.dirname(args.emu)}/qemu-x86_64' if name.endswith('x86') else args.emu
            guest = guest_instructions(folder, emu, options, command)
            command = [emu, *COLD, *options, *command]
            host = host_instructions(folder, command)
            line = (f'{name:12s}{guest:10d}{host / guest:8.0f}'
                    f'{cpu_seconds(command, args.runs) * 1e6 / guest:8.3f}\n')
            print(line, end='', flush=True)
            if name in KEPT:
                kept += line
        if args.keep:
            with open(f'{insns.HERE}/translate.txt', 'w') as f:
                f.write(HEAD + table + kept)


if __name__ == '__main__':
    main()
