#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Crash safety: one host write after the other is cut (the program ends there) or fails.  Afterwards the
image opens, its check finds at most leaks, and every sector holds what it held or what was being
written; what was written before a flush that was answered is there.  CRASH_SEED=N repeats a run, names on the command line choose formats."""

import errno
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import suite

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
SEED = int(os.environ.get('CRASH_SEED', '1'))
KB, MB = 1 << 10, 1 << 20
SECTOR = 512
PRELOAD = ''     # cut.so
OURS_PRELOAD = ''   # the same behind a sanitizer's library
MAX_CUTS = 400   # a run that is still being cut then is endless

# format, create options, size; 'torn': the reference calls a crash's leak an error; 'log': whoever opens it
# for writing brings it in order, and the reference's log is replayed by us
CASES = [
    ('vmdk', '', 9 * MB, set()),
    ('vmdk', 'zeroed_grain=on', 9 * MB, set()),
    ('vmdk', 'subformat=twoGbMaxExtentSparse', 9 * MB, set()),
    ('qcow2', '', 9 * MB, set()),
    ('qcow2', 'cluster_size=16k,refcount_bits=64', 3 * MB, set()),
    ('qcow2', 'compat=0.10,cluster_size=4k', 2 * MB, set()),
    ('qcow2', 'extended_l2=on', 9 * MB, set()),
    ('qcow2', 'lazy_refcounts=on', 9 * MB, {'log'}),
    ('vhdx', 'block_size=1M', 9 * MB, {'log'}),
    ('vpc', '', 9 * MB, set()),
    ('qed', 'cluster_size=4k', 9 * MB, {'log'}),
    ('parallels', 'cluster_size=64k', 9 * MB, set()),
    ('qcow', '', 9 * MB, set()),
    ('vdi', '', 9 * MB, {'torn'}),
]


def run(*argv, stdin=None, env=None):
    preload = OURS_PRELOAD if argv[0].startswith(OURS) else PRELOAD
    r = subprocess.run(argv, input=stdin, text=True, capture_output=True, timeout=600,
                       env={**os.environ, 'LD_PRELOAD': preload, **(env or {})})
    return r.returncode, r.stdout + r.stderr


def qemu_io(program, fmt, image, commands, env=None):
    return run(program, '-d', 'unmap', '-f', fmt, image, stdin='\n'.join(commands) + '\n', env=env)


class Model:
    """For each sector, the bytes that it may be full of."""

    def __init__(self, size):
        self.may = [frozenset([0])] * (size // SECTOR)

    def settle(self, off, length, value):
        for i in range(off // SECTOR, (off + length) // SECTOR):
            self.may[i] = frozenset([value])

    def also(self, off, length, values):
        for i in range(off // SECTOR, (off + length) // SECTOR):
            self.may[i] = self.may[i] | values

    def look(self, dump):
        with open(dump, 'rb') as f:
            for i, may in enumerate(self.may):
                data = f.read(SECTOR)
                if data.strip(data[:1]) or data[0] not in may:
                    return f'sector {i} holds {sorted(set(data))}, not one of {sorted(may)}'
        return None


def writes(rng, size, n):
    """Commands, and for each what it does: offset, length, values."""
    out = []
    for _ in range(n):
        length = rng.choice((SECTOR, 4 * KB, 64 * KB, 200 * KB, MB))
        off = rng.randrange(0, (size - length) // SECTOR) * SECTOR
        if rng.random() < 0.5:
            off = off // (64 * KB) * 64 * KB
        value = rng.randrange(1, 256)
        kind = rng.random()
        if kind < 0.15:
            out.append((f'write -z {off} {length}', off, length, frozenset([0])))
        elif kind < 0.3:
            out.append((f'write -z -u {off} {length}', off, length, frozenset([0])))
        elif kind < 0.4:
            out.append((f'discard {off} {length}', off, length, frozenset([0])))
        elif kind < 0.5:
            out.append(('flush', 0, 0, frozenset()))
            out.append(('length', 0, 0, frozenset()))   # its answer says that the flush was answered
        else:
            out.append((f'write -P {value} {off} {length}', off, length, frozenset([value])))
    return out


def after(before, during, flushes):
    """What may be there when @flushes of @during were answered; discarding may have no effect."""
    model = Model(len(before.may) * SECTOR)
    model.may = list(before.may)
    for command, off, length, values in during:
        if command == 'length':
            flushes -= 1
        elif flushes > 0 and length and not command.startswith('discard'):
            model.settle(off, length, next(iter(values)))
        else:
            model.also(off, length, values)
    return model


def replayed_alike(fmt, folder):
    """Open the image for writing with both, which replays its log: they agree on what the disk holds."""
    image, twin, dumps = f'{folder}/disk', f'{folder}/twin', []
    shutil.copy(image, twin)
    code, out = qemu_io(f'{OURS}/qemu-io', fmt, image, [])
    if code:
        return f'it does not open for writing: {out}'
    run('qemu-img', 'check', '-r', 'all', '-f', fmt, twin)
    for name in (image, twin):
        code, out = run('qemu-img', 'convert', '-f', fmt, '-O', 'raw', name, f'{folder}/dump')
        if code:
            return out
        with open(f'{folder}/dump', 'rb') as f:
            dumps.append(f.read())
    return None if dumps[0] == dumps[1] else 'the reference replays the log otherwise'


def check(fmt, folder, model, traits):
    """What is wrong with the image in @folder after the crash, or None."""
    image, dump = os.path.join(folder, 'disk'), os.path.join(folder, 'dump')
    if 'log' in traits:
        bad = replayed_alike(fmt, folder)
        if bad:
            return bad
    code, out = run(f'{OURS}/qemu-img', 'check', '-f', fmt, image)
    if code not in (0, 3, 63) and 'not found: check' not in out:
        return f'our check: {out}'
    code, out = qemu_io(f'{OURS}/qemu-io', fmt, image, ['read 0 512'])
    if code:
        return f'it does not open: {out}'
    code, out = run('qemu-img', 'check', '-f', fmt, image)
    if code not in (0, 3, 63) and 'torn' not in traits:
        return f'the reference\'s check: {out}'
    code, out = run('qemu-img', 'convert', '-f', fmt, '-O', 'raw', image, dump)
    return out if code else model.look(dump)


def copy_files(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def case(work, fmt, opts, size, traits, error, writer):
    rng = random.Random(f'{SEED} {fmt} {opts}')
    start, now = os.path.join(work, 'start'), os.path.join(work, 'now')
    os.mkdir(start)
    args = ['create', '-q', '-f', fmt] + (['-o', opts] if opts else [])
    code, out = run(f'{OURS}/qemu-img', *args, os.path.join(start, 'disk'), str(size))
    if code:
        return out
    model = Model(size)
    before = [c for c in writes(rng, size, 8) if not c[0].startswith('discard')]
    code, out = qemu_io(f'{OURS}/qemu-io', fmt, os.path.join(start, 'disk'), [c[0] for c in before])
    if code:
        return out
    for _, off, length, values in before:
        if length:
            model.settle(off, length, next(iter(values)))
    during = writes(rng, size, 10)
    flushed = 0
    for n in range(1, MAX_CUTS):
        copy_files(start, now)
        env = {'CUT_AT': str(n)}
        if error:
            env['CUT_ERROR'] = str(error)
        code, out = qemu_io(writer, fmt, os.path.join(now, 'disk'), [c[0] for c in during], env)
        flushes = 0 if error else len(re.findall(r'[\d.]+ MiB\n', out))
        flushed = max(flushed, flushes)
        bad = check(fmt, now, after(model, during, flushes), traits)
        if bad:
            return f'host write {n} cut, status {code}, {flushes} flushes: {bad}'
        if code == 0:
            wanted = sum(c[0] == 'length' for c in during)
            return 'nothing was cut' if n < 5 else \
                None if error or flushed == wanted else f'{flushed} answered flushes seen, not {wanted}'
    return 'cut again and again'


def main():
    if not shutil.which('qemu-img'):
        print("needs the reference's qemu-img\nskip crash, cuts")
        return
    global PRELOAD, OURS_PRELOAD
    work = tempfile.mkdtemp(prefix='emu-crash-')
    PRELOAD = f'{work}/cut.so'
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-shared', '-fPIC', '-D_GNU_SOURCE', '-o',
                    PRELOAD, f'{HERE}/cut.c', '-ldl'], check=True)
    OURS_PRELOAD = suite.preload(f'{OURS}/qemu-io', PRELOAD)
    for fmt, opts, size, traits in CASES:
        if sys.argv[1:] and fmt not in sys.argv[1:]:
            continue
        kinds = [('each host write is cut', 0, f'{OURS}/qemu-io'),
                 ('each host write fails', errno.EIO, f'{OURS}/qemu-io')]
        if 'log' in traits:
            kinds.append(('each of the reference\'s writes is cut', 0, 'qemu-io'))
        for kind, error, writer in kinds:
            name = f'crash, {fmt}{" " + opts if opts else ""}: {kind}'
            os.makedirs(f'{work}/case')
            try:
                bad = case(f'{work}/case', fmt, opts, size, traits, error, writer)
            except subprocess.TimeoutExpired as e:
                bad = repr(e)
            if bad:
                print(f'seed {SEED}: {bad}')
            print(('fail ' if bad else 'pass ') + name, flush=True)
            shutil.rmtree(f'{work}/case')
    shutil.rmtree(work)


main()
