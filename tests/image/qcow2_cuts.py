#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qcow2: snapshot, resize, amend, bitmap, rebase, commit and repair, with each host write cut in turn.

Afterwards the image opens, for writing too (which repairs what the dirty bit tells of); then both checks
find at most leaks, and the disk and its snapshot hold what they held."""
import os
import shutil
import subprocess
import sys
import tempfile

import suite

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.abspath(os.environ.get('EMU_BIN', os.path.join(HERE, '../../build')))
MAX_CUTS = 300

# name, create options, the command (of qemu-img; IMAGE last unless it is said), traits: 'v2' flags may be wrong, harmlessly
CASES = [
    ('making a snapshot', '', ['snapshot', '-c', 'two']),
    ('deleting a snapshot', '', ['snapshot', '-d', 'one']),
    ('making a snapshot, extended L2', 'extended_l2=on', ['snapshot', '-c', 'two']),
    ('growing', '', ['resize', '-q', '-f', 'qcow2', 'IMAGE', '600M']),
    ('growing the L1 table', 'cluster_size=4k', ['resize', '-q', '-f', 'qcow2', 'IMAGE', '9G']),
    ('other refcounts', '', ['amend', '-o', 'refcount_bits=32']),
    ('version 2', '', ['amend', '-o', 'compat=0.10']),
    ('lazy refcounts', '', ['amend', '-o', 'lazy_refcounts=on']),
    ('a bitmap', '', ['bitmap', '--add']),
    ('another backing file', '', ['rebase', '-u', '-f', 'qcow2', '-b', 'other', '-F', 'raw']),
]


def run(*argv, env=None):
    p = subprocess.run(argv, text=True, errors='replace', timeout=60, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
    return p.returncode, p.stdout


def contents(image, *words):
    """What the disk, or a snapshot of it, holds; without what growing added."""
    status, out = run(f'{OURS}/qemu-img', 'convert', *words, '-f', 'qcow2', '-O', 'raw', image, 'raw')
    if status:
        return out
    with open('raw', 'rb') as f:
        return f.read(4 << 20)


def prepare(options):
    open('other', 'wb').truncate(4 << 20)
    words = ['-o', options] if options else []
    packed = '4k' if 'cluster_size=4k' in options else '64k'
    for argv in (['qemu-img', 'create', '-q', '-f', 'qcow2', *words, 'start', '4M'],
                 ['qemu-io', '-c', 'write -P 1 0 1M', '-c', 'write -z 2M 64k', 'start'],
                 ['qemu-img', 'snapshot', '-c', 'one', 'start'],
                 ['qemu-io', '-c', 'write -P 2 512k 700k', '-c', f'write -c -P 3 3M {packed}', 'start']):
        status, out = run(f'{OURS}/{argv[0]}', *argv[1:])
        if status:
            return out
    return None


def look(disk, snapshot, command):
    """What is wrong after the cut, or None."""
    status, out = run(f'{OURS}/qemu-io', '-f', 'qcow2', '-c', 'read 0 512', 'now')
    if status:
        return f'it does not open: {out}'
    for where in (OURS + '/', ''):
        status, out = run(f'{where}qemu-img', 'check', '-f', 'qcow2', 'now')
        if status not in (0, 3):
            return f'{where}qemu-img check: {out[:600]}'
    if contents('now') != disk:
        return 'the disk holds something else'
    if '-d' in command and 'one' not in run(f'{OURS}/qemu-img', 'snapshot', '-l', 'now')[1]:
        return None
    return None if contents('now', '-l', 'one') == snapshot else 'the snapshot holds something else'


def cuts(options, command):
    bad = prepare(options)
    if bad:
        return bad
    disk, snapshot = contents('start'), contents('start', '-l', 'one')
    argv = ['now' if w == 'IMAGE' else w for w in command] + ([] if 'IMAGE' in command else ['now'])
    argv += ['b'] if command[0] == 'bitmap' else []
    for n in range(1, MAX_CUTS):
        shutil.copy('start', 'now')
        status, out = run(f'{OURS}/qemu-img', *argv,
                          env={'CUT_AT': str(n), 'LD_PRELOAD': suite.preload(f'{OURS}/qemu-img', os.path.abspath('cut.so'))})
        bad = look(disk, snapshot, command)
        if bad:
            return f'host write {n} cut, status {status}: {bad}'
        if status == 0:
            return 'nothing was cut' if n < 2 else None
        if status != 99:
            return f'host write {n}: status {status}, {out}'
    return 'cut again and again'


def sound(options, command):
    bad = cuts(options, command)
    suite.must(not bad, bad)


def main():
    folder = tempfile.mkdtemp(prefix='emu-qcow2-')
    os.chdir(folder)
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-shared', '-fPIC', '-D_GNU_SOURCE', '-o', 'cut.so',
                    f'{HERE}/cut.c', '-ldl'], check=True)
    for name, options, command in CASES:
        suite.report(f'qcow2 cuts, {name}', sound, options, command)
    os.chdir('/')
    shutil.rmtree(folder)


if not shutil.which('qemu-img'):
    print("needs the reference's qemu-img\nskip qcow2 cuts")
    sys.exit()
main()
